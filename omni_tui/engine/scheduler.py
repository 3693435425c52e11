"""The scheduler: starts what the plan says, and puts away what has ended.

One loop, woken by events alone (a changed folder, an ended task, a request, a moment that the plan names): an empty
queue costs nothing. The shape follows honcho's manager: one loop, one owner, the whole policy elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import msgspec

from omni_tui.engine.deliveries import Deliveries, Running
from omni_tui.engine.doing import Doing
from omni_tui.engine.guard import Guard
from omni_tui.engine.intake import Intake
from omni_tui.engine.loadkeeper import LoadKeeper
from omni_tui.engine.order import Order, OrderKind
from omni_tui.engine.past import look_back
from omni_tui.engine.premises import Premises
from omni_tui.engine.readiness import Readiness
from omni_tui.engine.refill import Refill
from omni_tui.engine.services import Services
from omni_tui.engine.site import Site
from omni_tui.engine.spares import SpareKeeper
from omni_tui.engine.supply import Supply
from omni_tui.engine.survey import Surveyor
from omni_tui.engine.warden import Warden
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import OmniError, TaskFileError
from omni_tui.model.brakes import FLEET
from omni_tui.model.state import FleetState
from omni_tui.model.task import Status, Task, TaskRef
from omni_tui.policy.backlog import Backlog, Capacity
from omni_tui.policy.course import pauses
from omni_tui.policy.decisions import Decided
from omni_tui.policy.holds import PASSING, HoldKind, gist
from omni_tui.policy.lineup import Lineup
from omni_tui.policy.remedies import published
from omni_tui.policy.scheduling import Plan, nobody_serves, plan

V = TypeVar("V")

LEFT = "the last run left it in doing/"
"""Why a task is adopted at a start."""

FROZEN = "the fleet is frozen, and tasks wait: `omni-tui thaw` goes on"
"""Why a run ends that a person's freeze has left with nothing to do."""


class Scheduler:
    """Owns which tasks run. Everything happens on one loop; nothing here blocks but the store's short writes."""

    def __init__(
        self, services: Services, guard: Guard, state: FleetState, on_state: Callable[[FleetState], None]
    ) -> None:
        self.wake = asyncio.Event()
        self.idle = asyncio.Event()
        """Nothing runs, and nothing can start without a person or a new task."""
        self.state = state
        self._services = services
        services.course.brakes = state.in_force
        self._guard = guard
        self._on_state = on_state
        self._sites: dict[str, Site] = {}
        self._not_before: dict[TaskRef, float] = {}
        self._last_start: float | None = None
        self._lineup = Lineup()
        self._deliveries = Deliveries(services, guard, self._ended)
        self._doing = Doing(services, self.running, self._start, lambda words: self.change_state(message=words))
        self._warden = Warden(services, guard, self._changed_of_all, self.wake)
        self.supply = Supply(services, guard, self._waiting, self.wake)
        self._load = LoadKeeper(
            services, guard, self.wake, lambda: list(self.running.values()), lambda words: self.change_state(load=words)
        )
        self._readiness = Readiness(services)
        self.refill = Refill(
            services,
            guard,
            self._waiting,
            added=lambda: self.look_again_but_at(()),
            said=lambda notes: self.change_state(sources=notes),
            wake=self.wake,
        )
        self._stopping = False
        self._paused = False
        """Tasks wait for a known cause to be mended."""

    # -- workplaces ------------------------------------------------------------------------------------------------

    def open(self, place: Workplace) -> None:
        """Dispatch a workplace: watch its queue, keep its spares, adopt what a former owner left in doing/."""
        site = self._site(place)
        site.watch(self._services.wakeups, self.wake)
        site.keeper = self._guard.spawn(f"spares of {place.name}", SpareKeeper(place, self._services).run())
        self._guard.spawn(f"base of {place.name}", self._deliveries.look_at_base(place))
        place.queue.finish_moves()
        for path in place.queue.files(Status.DOING):
            self._doing.adopt(place, path, LEFT)
        self.wake.set()

    def _site(self, place: Workplace) -> Site:
        premises = Premises(place, self._services, lambda message: self.change_state(message=message))
        surveyor = Surveyor(place, self._services, self._guard, self.wake)
        site = self._sites[place.name] = Site(place, Intake(place, self._services), premises, surveyor)
        site.plan_changed.set()
        return site

    def _close(self, site: Site) -> None:
        """Let go of a workplace whose directory has gone; it is opened again when it is there again."""
        place = site.place
        del self._sites[place.name]
        site.leave(self._services.wakeups, self.wake)
        if site.keeper is not None:
            site.keeper.cancel()
        self._doing.forget(place)
        for running in self.running.values():
            if running.place is place:
                running.box.give(Order(OrderKind.WITHDRAW, "its workspace was removed"))
        self._services.record("workspace.closed", workspace=place.name, reason="its directory has gone")

    def open_for_one(self, place: Workplace, task_id: str) -> None:
        """Take in a workplace for a single request: only the task that it is about is adopted, nothing is started."""
        self._site(place)
        found = place.queue.find(task_id)
        if found is not None and found[0] is Status.DOING:
            self._doing.adopt(place, found[1], LEFT)

    def place(self, workspace: str) -> Workplace | None:
        """Return an open workplace."""
        site = self._sites.get(workspace)
        return site.place if site else None

    def look_again_but_at(self, names: Collection[str]) -> None:
        """Look again at each workplace but these: its directory has gone as a whole, which its folders do not tell."""
        for name in self._sites.keys() - set(names):
            self._sites[name].intake.changed.set()
            self.wake.set()

    def review_spares(self) -> None:
        """Have every workplace see to its spares: the settings have changed."""
        for site in self._sites.values():
            site.place.spares_due.set()

    # -- the loop --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Schedule until cancelled."""
        while True:
            self.wake.clear()
            for site in list(self._sites.values()):
                await self._refresh(site)
            for site in list(self._sites.values()):
                await site.premises.refresh(site.intake.waiting, self._backlog)
            self.supply.mending.notice()
            if any(site.intake.waiting for site in self._sites.values()):
                await self._load.look()
            decided = self._plan()
            for task in decided.start:
                await self._claim(task)
            usable = not (self.state.frozen or self._stopping or self._services.course.course.stopped)
            self.supply.prove(held=not usable or bool(self._load.short or self._load.binding(len(self.running))))
            self.refill.look(decided.holds, usable=usable)
            self._readiness.look(decided.holds, len(self.running))
            self._tell(decided)
            await self._services.clock.wait(self.wake, self._next_look(decided))

    async def _refresh(self, site: Site) -> None:
        try:
            await site.intake.refresh()
        except FileNotFoundError:
            if site.place.paths.queue(Status.TODO).is_dir():
                raise
            self._close(site)
        else:
            self._doing.look(site.place)
            self._take_plan(site)
            if self._services.settings().scheduler.limit > 1:
                running = [each.task for each in self.running.values() if each.place is site.place]
                await site.surveyor.look(running, site.intake.waiting)

    def _take_plan(self, site: Site) -> None:
        """Put a changed frozen plan in force; a bad one is left aside and told."""
        if not site.plan_changed.is_set():
            return
        site.plan_changed.clear()
        place, before = site.place, site.place.plan
        try:
            place.plan = place.read_plan()
        except OmniError as error:
            self._services.record("plan.refused", workspace=place.name, error=str(error))
            self.change_state(message=f"the frozen plan of {place.name} stays as it was: {error}")
            return
        if place.plan != before:
            self._services.record("plan.taken", workspace=place.name, waves=len(place.plan.waves))

    def _backlog(self) -> Mapping[TaskRef, Status]:
        """Return every task there is."""
        found: dict[TaskRef, Status] = {}
        for site in self._sites.values():
            found |= dict.fromkeys((task.ref for task in site.intake.waiting), Status.TODO) | site.intake.settled
        return found

    def _plan(self) -> Plan:
        settings, brakes = self._services.settings().scheduler, self.state.in_force
        freeze = brakes.freeze_of(FLEET)
        sites = self._sites.values()
        waiting = [task for site in sites for task in site.intake.waiting]
        status_of = _joined([site.intake.settled for site in sites])
        self._lineup.update(waiting, status_of)
        backlog = Backlog(
            waiting=waiting,
            status_of=status_of,
            running=self.running.keys() | self._doing.unsure(),
            not_before=self._not_before,
            course=self._services.course.course,
            providers=self.supply.servers(),
            standings=self._services.provision.standings(),
            flags={name: site.place.flags for name, site in self._sites.items()},
            refused={ref: reason for site in sites for ref, reason in site.premises.refused.items()},
            brakes=brakes,
            points=_joined([site.surveyor.points for site in sites]),
            changed=_joined([site.place.flights.points for site in sites]),
            plans={site.place.name: site.place.plan for site in sites if site.place.plan.waves},
        )
        capacity = Capacity(
            slots=0 if self._stopping else settings.limit,
            proven=settings.proven,
            look_until=max((site.surveyor.look_until for site in sites), default=0.0),
            now=self._services.clock.now(),
            frozen=self.state.frozen,
            why_frozen=freeze.reason if freeze else "",
            throttled=brakes.throttled,
            short=self._load.short,
            load=self._load.load,
            load_limits=self._services.settings().load,
            stagger_seconds=settings.stagger_seconds,
            last_start=self._last_start,
        )
        return plan(backlog, capacity, self._lineup)

    def _waiting(self) -> list[tuple[Workplace, Sequence[Task]]]:
        return [(site.place, site.intake.waiting) for site in self._sites.values()]

    def _tell(self, decided: Plan) -> None:
        """Publish the holds, and say so when there is nothing to do: a frozen or stopped fleet waits for a person."""
        held = {ref: hold for ref, hold in decided.holds.items() if not (self._stopping and hold.kind in PASSING)}
        self._paused = any(hold.kind is HoldKind.PAUSED for hold in held.values())
        line, effective = ((), self.state.effective) if self._stopping else (decided.line, decided.effective)
        self.change_state(holds=published(held), line=tuple(map(str, line)), effective=effective)
        looks = [self._doing.next_look(), *(site.intake.look_again_at for site in self._sites.values())]
        settling = any(look is not None for look in looks)
        at_work = any(not running.box.held for running in self.running.values())
        busy = self._stopping or self.supply.busy or self.refill.busy
        if at_work or decided.start or decided.wake_at is not None or settling or busy:
            self.idle.clear()
        elif not self.idle.is_set():
            reason = "" if decided.unseen else nobody_serves(decided.holds.values())
            if reason:
                self._services.course.record(Decided("fleet.stopped", data={"reason": reason, "unserved": True}))
            self.idle.set()
            self._services.record("fleet.idle", reason=self.standstill, waiting=gist(held.values()))

    @property
    def standstill(self) -> str:
        """Why nothing starts though tasks may wait: what a person has to end; empty: nothing does."""
        course = self._services.course.course
        if course.stopped:
            return course.stopped
        if self.state.frozen and (self.state.holds or self.running):
            return FROZEN
        if self.state.in_force.freezes and (self.state.holds or self.running):
            return "; ".join(self.state.in_force.words)
        return f"paused: {'; '.join(pauses(course))}" if self._paused else ""

    def _next_look(self, decided: Plan) -> float | None:
        intakes = (site.intake.look_again_at for site in self._sites.values())
        due = [moment for moment in (decided.wake_at, self._doing.next_look(), *intakes) if moment is not None]
        if not due:
            return None
        clock = self._services.clock
        return clock.monotonic() + max(0.0, min(due) - clock.now())

    # -- one task --------------------------------------------------------------------------------------------------

    async def _claim(self, task: Task) -> None:
        site = self._sites[task.workspace]
        place, queue = site.place, site.place.queue
        found = queue.find(task.id)
        if found is None or not self._look_back(site, task):
            return
        path = found[1]
        try:
            if not queue.claim(task):
                site.intake.changed.set()
                return
        except TaskFileError as error:  # a person's own file stands in its way in doing/
            queue.refuse(path, str(error))
            self._services.record("task.blocked", task.ref, reason=str(error))
            return
        except OSError as error:  # it waits in todo/, or lies in doing/: either way nothing has been done
            target = place.paths.queue(Status.DOING) / path.name
            self._not_before[task.ref] = self._doing.put_off(target, error, task.ref)
            site.intake.changed.set()
            self.wake.set()
            return
        self._last_start = self._services.clock.now()
        site.intake.take(task)
        self._services.record("task.claimed", task.ref)
        self._not_before.pop(task.ref, None)
        self._start(place, task, path.name)

    def _look_back(self, site: Site, task: Task) -> bool:
        """Whether a task may be claimed now, as its earlier attempts tell; one that had ended begins afresh."""
        runs = site.place.runs
        try:
            past = look_back(runs, task.ref)
        except OmniError:  # the delivery comes upon the same, and says so beside the task
            return True
        if past.closed:
            runs.begin_afresh(task.id)
        elif past.not_before is not None and past.not_before > self._services.clock.now():
            self._not_before[task.ref] = past.not_before
            self.wake.set()
            return False
        return True

    def _start(self, place: Workplace, task: Task, file: str) -> None:
        self.idle.clear()
        self.supply.occupy(place, task)
        self._deliveries.start(place, task, file)
        self._warden.on_duty()
        self._load.on_duty()

    def _changed_of_all(self) -> list[asyncio.Event]:
        return [running.box.changed for running in self.running.values()]

    def _ended(self, running: Running, again_at: float | None) -> None:
        place = running.place
        if again_at is not None:
            self._not_before[running.task.ref] = again_at
        place.spares_due.set()
        if (site := self._sites.get(place.name)) is not None:
            site.intake.changed.set()
        self.refill.ended(place.name)
        self.wake.set()

    # -- orders ----------------------------------------------------------------------------------------------------

    @property
    def running(self) -> Mapping[TaskRef, Running]:
        """What runs."""
        return self._deliveries.running

    async def order(self, ref: TaskRef, order: Order) -> Running | None:
        """Give a running task an order and wait until it has ended, however it did; None: it does not run."""
        return await self._deliveries.order(ref, order)

    async def stop_agents(self, reason: str) -> None:
        """Start nothing any more, and end all agents; their tasks go back to todo/."""
        self._stopping = True
        await self._deliveries.stop_all(reason)

    def _brake(self) -> None:
        """Have all that runs hear of other brakes."""
        self._services.course.brakes = self.state.in_force
        for changed in self._changed_of_all():
            changed.set()

    def change_state(self, **changes: object) -> None:
        """Change what the fleet says of itself, and publish it if it did change."""
        changed = msgspec.structs.replace(self.state, **changes)
        if changed != self.state:
            braked = changed.in_force != self.state.in_force
            self.state = changed
            if braked:
                self._brake()
            self._on_state(changed)
            self.wake.set()


def _joined(parts: Sequence[dict[TaskRef, V]]) -> Mapping[TaskRef, V]:
    """Return the tables of all workspaces as one; nothing is copied, for they are long."""
    return parts[0] if len(parts) == 1 else ChainMap(*parts)
