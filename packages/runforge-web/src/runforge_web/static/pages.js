// What the pages do with a script: they renew themselves while runs begin and end, and read a chosen
// file. Everything else works without.
"use strict";

document.documentElement.classList.add("has-script");

for (const input of document.querySelectorAll("input[data-into]")) {
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (file) document.getElementById(input.dataset.into).value = await file.text();
  });
}

const live = () => document.getElementById("live");

// Put the present state in the place of the one that is shown, and keep what the user has chosen.
async function renew() {
  const before = live();
  const selection = document.getSelection();
  if (!selection.isCollapsed && before.contains(selection.anchorNode)) return soon(5000);
  let answer;
  try {
    answer = await fetch(location.href, { redirect: "error" });
  } catch {
    return;
  }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const after = page.getElementById("live");
  if (!after || after.innerHTML === before.innerHTML) return;
  const chosen = new Set([...before.querySelectorAll("input:checked")].map((box) => box.value));
  for (const box of after.querySelectorAll("input[name=run]")) box.checked = chosen.has(box.value);
  after.querySelectorAll("details").forEach((part, at) => {
    part.open = before.querySelectorAll("details")[at]?.open ?? part.open;
  });
  const focused = document.activeElement;
  const key = focused && before.contains(focused) && (focused.getAttribute("href") || focused.value);
  const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
  before.replaceWith(document.adoptNode(after));
  if (key) {
    const again = [...after.querySelectorAll("a, input, button")]
      .find((item) => (item.getAttribute("href") || item.value) === key);
    again?.focus({ preventScroll: true });
  }
  if ("follow" in after.dataset && atEnd) window.scrollTo(0, document.body.scrollHeight);
}

let planned = 0;

function soon(milliseconds = 300) {
  // Many runs of a sweep may end at once.
  planned ||= setTimeout(() => { planned = 0; renew(); }, milliseconds);
}

let source = null;

// A browser has few connections to a server, so only the page that is seen keeps one.
function listen() {
  source?.close();
  source = null;
  if (document.hidden) return;
  source = new EventSource("/events");
  for (const name of live().dataset.live.split(" ")) {
    source.addEventListener(name, (event) => {
      const about = JSON.parse(event.data), wanted = live().dataset;
      if (["run", "job"].every((kind) => !wanted[kind] || wanted[kind] === about[kind])) soon();
    });
  }
}

if (live()) {
  listen();
  document.addEventListener("visibilitychange", () => {
    listen();
    if (!document.hidden) soon(0);
  });
  const tick = () => {
    if (!live().dataset.every) return;
    if (!document.hidden) soon(0);
    setTimeout(tick, 1000 * live().dataset.every);
  };
  setTimeout(tick, 1000);
}

const request = document.getElementById("request");

// Show the JSON of the request while the form is filled; the server makes it.
if (request) {
  let waiting = 0;
  const check = async () => {
    const answer = await fetch(request.dataset.check, {
      method: "POST", body: new URLSearchParams(new FormData(request)), redirect: "error",
    }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const after = page.getElementById("made");
    if (after) document.getElementById("made").replaceWith(document.adoptNode(after));
  };
  request.addEventListener("input", (event) => {
    if (event.target.name === "/dataset/path") return; // The button reads its columns.
    clearTimeout(waiting);
    waiting = setTimeout(check, 400);
  });
}
