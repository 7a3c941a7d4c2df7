"""Never answers one case."""

import time

from base import Client, Message, serve


class Broken(Client):
    """Waits for something that does not come."""

    def edit(self, message: Message) -> Message:
        while message["case"] == "request.v1/edit/rename":
            time.sleep(60)
        return super().edit(message)


serve(Broken())
