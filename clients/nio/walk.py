"""Two people walk through what a Matrix client does, with the Python client library.

Run as `walk.py BASE_URL PASSWORD`; exit code 0 means that everything was as it should be.
"""

import asyncio
import io
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

import more
from nio import (
    AsyncClient,
    AsyncClientConfig,
    ErrorResponse,
    Event,
    MessageDirection,
    RedactedEvent,
    Response,
    RoomMessageText,
    SyncResponse,
)

MESSAGES = 60
POLL_MS = 10_000
PATIENCE_S = 60

T = TypeVar("T")


def ok(what: str, response: Response) -> Response:
    """The response, if it is not an error."""
    assert not isinstance(response, ErrorResponse), f"{what}: {response}"
    return response


class Person:
    """A signed-in client and what it has seen."""

    def __init__(self, base: str, name: str, password: str) -> None:
        config = AsyncClientConfig(max_timeouts=1, max_limit_exceeded=20)
        self.client = AsyncClient(base, f"@{name}:localhost", config=config)
        self.name = name
        self.password = password

    async def register(self) -> None:
        ok("register", await self.client.register(self.name, self.password, "nio"))
        assert self.client.user_id == f"@{self.name}:localhost", self.client.user_id

    async def login(self) -> None:
        ok("login", await self.client.login(self.password, "nio again"))

    async def sync(self) -> SyncResponse:
        return ok("sync", await self.client.sync(timeout=POLL_MS))

    async def sync_until(self, what: str, find: Callable[[SyncResponse], T | None]) -> T:
        async def search() -> T:
            while True:
                found = find(await self.sync())
                if found:
                    return found

        try:
            return await asyncio.wait_for(search(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"{what} did not arrive") from None

    async def send(self, room: str, text: str, transaction: str | None = None) -> str:
        content = {"msgtype": "m.text", "body": text}
        sent = await self.client.room_send(room, "m.room.message", content, transaction)
        return ok("send", sent).event_id


def timeline(news: SyncResponse, room: str) -> list[Event]:
    """The room's new events."""
    joined = news.rooms.join.get(room)
    return joined.timeline.events if joined else []


def messages(events: list[Event]) -> list[tuple[str, str]]:
    """Ids and texts of the messages among the events."""
    return [(e.event_id, e.body) for e in events if isinstance(e, RoomMessageText)]


async def meet(alice: Person, bob: Person) -> str:
    """Alice makes a room and invites Bob, who joins; gives the room's id."""
    room = ok("create a room", await alice.client.room_create(name="The watch")).room_id
    await alice.sync()
    ok("invite", await alice.client.room_invite(room, bob.client.user_id))
    await bob.sync_until("the invitation", lambda news: news.rooms.invite.get(room))
    ok("join", await bob.client.join(room))
    await bob.sync_until("the joined room", lambda news: news.rooms.join.get(room))
    members = ok("members", await alice.client.joined_members(room)).members
    found = {member.user_id for member in members}
    assert found == {alice.client.user_id, bob.client.user_id}, f"members: {found}"
    name = ok("state", await bob.client.room_get_state_event(room, "m.room.name")).content
    assert name == {"name": "The watch"}, f"the room is called {name}"
    return room


async def talk(alice: Person, bob: Person, room: str) -> list[tuple[str, str]]:
    """Both send, the first with a retry; gives what was sent."""
    wait = asyncio.create_task(bob.sync_until("a message", lambda n: messages(timeline(n, room))))
    first = await alice.send(room, "a fire in the south", "first")
    assert await wait == [(first, "a fire in the south")], "another message arrived"
    again = await alice.send(room, "a fire in the south", "first")
    assert again == first, f"the retried transaction gave {again}, not {first}"
    sent = [(first, "a fire in the south")]
    for number in range(1, MESSAGES):
        text = f"message {number}"
        sent.append((await (alice, bob)[number % 2].send(room, text), text))
    return sent


async def page_back(person: Person, room: str, sent: list[tuple[str, str]]) -> None:
    """The whole past, 20 events at a time, is what was sent."""
    past: list[tuple[str, str]] = []
    token = None
    while True:
        page = ok(
            "messages",
            await person.client.room_messages(room, token, direction=MessageDirection.back, limit=20),
        )
        assert len(page.chunk) <= 20, f"{len(page.chunk)} events on a page of 20"
        past.extend(messages(page.chunk))
        if page.end is None:
            break
        assert page.end != token, "a page leads to itself"
        token = page.end
    past.reverse()
    assert past == sent, f"{person.name} reads {len(past)} messages, or others than were sent"


async def notice(alice: Person, bob: Person, room: str, event: str) -> None:
    """Typing and receipts are seen by the other."""
    bob_id = bob.client.user_id
    ok("typing", await bob.client.room_typing(room, True, 20_000))
    await alice.sync_until(
        "Bob typing", lambda _: bob_id in alice.client.rooms[room].typing_users
    )
    ok("typing", await bob.client.room_typing(room, False))
    await alice.sync_until(
        "Bob no longer typing", lambda _: bob_id not in alice.client.rooms[room].typing_users
    )
    ok("receipt", await bob.client.update_receipt_marker(room, event))

    def read(_: SyncResponse) -> bool:
        known = alice.client.rooms[room]
        receipts = list(known.threaded_read_receipts.get(bob_id, {}).values())
        receipts += [known.read_receipts[bob_id]] if bob_id in known.read_receipts else []
        return any(receipt.event_id == event for receipt in receipts)

    await alice.sync_until("Bob's receipt", read)


async def redact(alice: Person, bob: Person, room: str) -> None:
    """A redacted message has lost its text."""
    slip = await alice.send(room, "not meant for you")
    ok("redact", await alice.client.room_redact(room, slip, "a slip"))
    page = ok("messages", await bob.client.room_messages(room, None, limit=10))
    found = [e for e in page.chunk if e.event_id == slip]
    assert found and isinstance(found[0], RedactedEvent), f"Bob still reads {found}"


async def exchange_file(alice: Person, bob: Person) -> None:
    """What one uploads, the other downloads."""
    data = bytes(range(256)) * 500
    upload, _ = await alice.client.upload(
        io.BytesIO(data), "application/octet-stream", "map.bin", filesize=len(data)
    )
    uri = ok("upload", upload).content_uri
    got = ok("download", await bob.client.download(uri))
    assert got.body == data, f"{len(got.body)} of {len(data)} bytes came, or others"


async def profiles(alice: Person, bob: Person) -> None:
    """A name that one sets, the other reads."""
    ok("name", await alice.client.set_displayname("Alice of the southern hill"))
    seen = ok("profile", await bob.client.get_profile(alice.client.user_id)).displayname
    assert seen == "Alice of the southern hill", f"Bob sees {seen}"


async def second_device(base: str, alice: Person) -> None:
    """A second device signs in, is listed, and signs out."""
    again = Person(base, alice.name, alice.password)
    try:
        await again.login()
        listed = {d.id for d in ok("devices", await alice.client.devices()).devices}
        assert listed == {alice.client.device_id, again.client.device_id}, f"devices: {listed}"
        ok("logout", await again.client.logout())
        listed = {d.id for d in ok("devices", await alice.client.devices()).devices}
        assert listed == {alice.client.device_id}, f"devices after the logout: {listed}"
        await again.login()
        await more.end_device(alice.client, again.client, alice.password)
    finally:
        await again.client.close()


async def part(alice: Person, bob: Person, room: str) -> None:
    """Bob leaves and can no longer send."""
    ok("leave", await bob.client.room_leave(room))
    content = {"msgtype": "m.text", "body": "too late"}
    late = await bob.client.room_send(room, "m.room.message", content)
    assert isinstance(late, ErrorResponse), "who has left can still send"
    assert late.status_code == "M_FORBIDDEN", f"refused with {late.status_code}"
    rooms = ok("rooms", await bob.client.joined_rooms()).rooms
    assert rooms == [], f"Bob is still in {rooms}"
    members = ok("members", await alice.client.joined_members(room)).members
    assert [m.user_id for m in members] == [alice.client.user_id], f"members: {members}"


async def walk(base: str, password: str) -> None:
    alice, bob = Person(base, "alice", password), Person(base, "bob", password)
    try:
        await alice.register()
        await bob.register()
        room = await meet(alice, bob)
        sent = await talk(alice, bob, room)
        for person in (alice, bob):
            await page_back(person, room, sent)
        await notice(alice, bob, room, sent[-1][0])
        await redact(alice, bob, room)
        await more.relate(alice.client, bob.client, room)
        await more.guard(alice.client, bob.client)
        await more.name_rooms(alice.client, bob.client, room)
        await more.keep(alice.client)
        await more.thumbnail(alice.client, bob.client)
        await exchange_file(alice, bob)
        await profiles(alice, bob)
        await second_device(base, alice)
        await part(alice, bob, room)
    finally:
        await alice.client.close()
        await bob.client.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(walk(sys.argv[1], sys.argv[2]))
