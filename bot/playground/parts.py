"""The parts of the local Discord, put together once, as routes need them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.asking import Asking
from bot.playground.callbacks import Callbacks
from bot.playground.cdn import Cdn
from bot.playground.clock import Clock
from bot.playground.composer import Composer
from bot.playground.control.faults import Faults
from bot.playground.gateway.gateway import Gateway
from bot.playground.gateway.identify import IdentifyLimit
from bot.playground.herald import Herald
from bot.playground.interaction import Ledger
from bot.playground.render import Renderer
from bot.playground.screens import Screens
from bot.playground.signing_in import SigningIn
from bot.playground.uploads import Uploads
from bot.playground.world import World

SHARDS_AT_ONCE = 16  # that may identify within five seconds, as of large bots; a small one would have to wait for each


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route may need."""

    clock: Clock
    world: World
    faults: Faults
    gateway: Gateway
    cdn: Cdn
    screens: Screens
    renderer: Renderer
    herald: Herald
    composer: Composer
    uploads: Uploads
    ledger: Ledger
    asking: Asking
    callbacks: Callbacks
    signing_in: SigningIn


def put_together(world: World) -> Parts:
    """Wires a world to its gateway, pages and CDN."""
    clock = world.clock
    faults = Faults(clock)
    gateway = Gateway(world, clock, faults=faults, identify_limit=IdentifyLimit(clock, concurrency=SHARDS_AT_ONCE))
    cdn = Cdn(clock, world.attachments.lookup)
    screens = Screens()
    renderer = Renderer(world, cdn)
    herald = Herald(world, renderer, gateway, screens)
    composer = Composer(world, herald)
    uploads = Uploads(world)
    ledger = Ledger(clock)
    asking = Asking(world, ledger, herald, renderer, uploads, cdn)
    callbacks = Callbacks(world, ledger, asking, composer, herald, renderer)
    world.commands.watch(lambda: screens.show_all("COMMANDS_UPDATE", {}))
    gateway.watch(
        lambda application, online: screens.show_all("APPLICATION_STATUS", {"id": str(application), "online": online})
    )
    return Parts(
        clock=clock,
        world=world,
        faults=faults,
        gateway=gateway,
        cdn=cdn,
        screens=screens,
        renderer=renderer,
        herald=herald,
        composer=composer,
        uploads=uploads,
        ledger=ledger,
        asking=asking,
        callbacks=callbacks,
        signing_in=SigningIn(clock),
    )
