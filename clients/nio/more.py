"""What two people do once they have met: relations, power, entrances, rules of push, devices."""

from nio import AsyncClient, ErrorResponse, PushRuleKind, Response
from nio.api import RelationshipType, ResizingMethod
from nio.events.account_data import PushNotify

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
    "5478da6360000000020001e527defc0000000049454e44ae426082"
)


def ok(what: str, response: Response) -> Response:
    """The response, if it is not an error."""
    assert not isinstance(response, ErrorResponse), f"{what}: {response}"
    return response


def refused(what: str, response: Response, code: str) -> None:
    """Sees that it was refused with this code."""
    assert isinstance(response, ErrorResponse), f"{what} was not refused"
    assert response.status_code == code, f"{what} was refused with {response.status_code}"


async def relate(alice: AsyncClient, bob: AsyncClient, room: str) -> None:
    """A reaction, an edit and a thread are found at their event."""

    async def send(who: AsyncClient, kind: str, content: dict) -> str:
        return ok(kind, await who.room_send(room, kind, content)).event_id

    root = await send(alice, "m.room.message", {"msgtype": "m.text", "body": "smoek"})
    edit = {
        "msgtype": "m.text",
        "body": "* smoke",
        "m.new_content": {"msgtype": "m.text", "body": "smoke"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": root},
    }
    await send(alice, "m.room.message", edit)
    key = {"rel_type": "m.annotation", "event_id": root, "key": "+"}
    liked = await send(bob, "m.reaction", {"m.relates_to": key})
    thread = {"rel_type": "m.thread", "event_id": root}
    reply = await send(
        bob, "m.room.message", {"msgtype": "m.text", "body": "where?", "m.relates_to": thread}
    )
    for kind, expected in ((RelationshipType.annotation, liked), (RelationshipType.thread, reply)):
        found = [e.event_id async for e in alice.room_get_event_relations(room, root, kind)]
        assert found == [expected], f"{kind}: {found}"
    threads = [e.event_id async for e in alice.room_get_threads(room)]
    assert threads == [root], f"threads: {threads}"
    around = ok("context", await bob.room_context(room, root, limit=4))
    assert around.event.event_id == root, f"context of {around.event.event_id}"


async def guard(alice: AsyncClient, bob: AsyncClient) -> None:
    """Who may not come in does not, and who was put out stays out."""
    rules = {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}
    room = ok("room", await alice.room_create(name="The gate", initial_state=[rules])).room_id
    refused("joining", await bob.join(room), "M_FORBIDDEN")
    ok("knock", await bob.room_knock(room, "may I?"))
    ok("invite", await alice.room_invite(room, bob.user_id))
    ok("join", await bob.join(room))
    refused("the name", await bob.room_put_state(room, "m.room.name", {"name": "x"}), "M_FORBIDDEN")
    ok("kick", await alice.room_kick(room, bob.user_id, "for now"))
    ok("ban", await alice.room_ban(room, bob.user_id, "for good"))
    refused("coming back", await bob.join(room), "M_FORBIDDEN")
    ok("unban", await alice.room_unban(room, bob.user_id))
    ok("forget", await bob.room_forget(room))


async def name_rooms(alice: AsyncClient, bob: AsyncClient, room: str) -> None:
    """A room has an address; a space has rooms."""
    alias = "#gate:localhost"
    ok("alias", await alice.room_put_alias(alias, room))
    found = ok("alias", await bob.room_resolve_alias(alias)).room_id
    assert found == room, f"{alias} is {found}"
    ok("no alias", await alice.room_delete_alias(alias))
    refused("the alias", await bob.room_resolve_alias(alias), "M_NOT_FOUND")
    space = ok("space", await alice.room_create(name="Hills", space=True)).room_id
    child = {"via": ["localhost"]}
    ok("child", await alice.room_put_state(space, "m.space.child", child, room))
    tree = ok("hierarchy", await alice.space_get_hierarchy(space)).rooms
    assert [r["room_id"] for r in tree] == [space, room], f"hierarchy: {tree}"


async def keep(alice: AsyncClient) -> None:
    """Filters, rules of push, presence, tokens for others."""
    ok("filter", await alice.upload_filter(room={"timeline": {"limit": 5}}))
    content = PushRuleKind.content
    ok("rule", await alice.set_pushrule("global", content, "fire", actions=[PushNotify()], pattern="fire"))
    ok("rule", await alice.enable_pushrule("global", content, "fire", False))
    ok("rule", await alice.set_pushrule_actions("global", content, "fire", []))
    ok("rule", await alice.delete_pushrule("global", content, "fire"))
    refused("the rule", await alice.delete_pushrule("global", content, "fire"), "M_NOT_FOUND")
    ok("presence", await alice.set_presence("unavailable", "at the beacon"))
    told = ok("presence", await alice.get_presence(alice.user_id))
    assert told.status_msg == "at the beacon", f"presence: {told}"
    ok("token", await alice.get_openid_token(alice.user_id))
    size = ok("config", await alice.content_repository_config()).upload_size
    assert size and size > 1_000_000, f"uploads of {size}"
    who = ok("whoami", await alice.whoami())
    assert who.device_id == alice.device_id, f"whoami: {who}"


async def thumbnail(alice: AsyncClient, bob: AsyncClient) -> None:
    """A picture has a thumbnail."""
    upload, _ = await alice.upload(lambda *_: PNG, "image/png", "dot.png", filesize=len(PNG))
    server, media = ok("upload", upload).content_uri.removeprefix("mxc://").split("/")
    got = ok("thumbnail", await bob.thumbnail(server, media, 32, 32, ResizingMethod.crop))
    assert got.body.startswith(b"\x89PNG"), f"a thumbnail of {got.content_type}"


async def end_device(alice: AsyncClient, other: AsyncClient, password: str) -> None:
    """A device is named and ended by who knows the password."""
    ok("name", await alice.update_device(other.device_id, {"display_name": "lost"}))
    names = {d.display_name for d in ok("devices", await alice.devices()).devices}
    assert "lost" in names, f"devices: {names}"
    await alice.delete_devices([other.device_id])
    user = {"type": "m.id.user", "user": alice.user_id}
    auth = {"type": "m.login.password", "identifier": user, "password": password}
    ok("deletion", await alice.delete_devices([other.device_id], auth))
    refused("the ended device", await other.whoami(), "M_UNKNOWN_TOKEN")
