// Lets the keyboard scroll what is wider than the page: code and tables.
function makeScrollable() {
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
makeScrollable();
addEventListener("resize", makeScrollable);
