"""Starting an attempt's agent: what it is told, what it may reach, and its process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from omni_tui.engine.check import Started
from omni_tui.engine.guard import contained
from omni_tui.engine.prompt import build_prompt
from omni_tui.engine.salvage import end_agent
from omni_tui.engine.services import Services
from omni_tui.engine.steps import AttemptFailedError
from omni_tui.engine.workplace import Workplace
from omni_tui.errors import LeaseLostError, OmniError, RuntimeFailedError
from omni_tui.model.attempt import AgentSpec, AttemptId
from omni_tui.model.confinement import Confinement
from omni_tui.model.failure import Failure, FailureKind
from omni_tui.model.task import Task
from omni_tui.plugins.agent.protocol import Agent, Assignment, Invocation
from omni_tui.plugins.runtime.protocol import Handle, Launch
from omni_tui.plugins.workspace.protocol import Worktree
from omni_tui.policy.reach import passage
from omni_tui.policy.routing import provider_of
from omni_tui.store.runs import Run


class Launched(Started, frozen=True, kw_only=True):
    """A started agent, and what the checkout that the repository came from looked like then."""

    origin_state: str


class Launcher:
    """Starts one attempt's agent in its runtime."""

    def __init__(
        self,
        *,
        attempt: AttemptId,
        task: Task,
        agent: AgentSpec,
        harness: Agent,
        place: Workplace,
        services: Services,
        run: Run,
        trial: bool = False,
    ) -> None:
        self._id = attempt
        self._task = task
        self._agent = agent
        self._harness = harness
        self._place = place
        self._services = services
        self._run = run
        self._trial = trial

    async def launch(self, worktree: Worktree, history: Sequence[Failure]) -> Launched:
        """Write the prompt, which tells of the failures so far, and start the agent.

        Raises `AttemptFailedError` where the runtime cannot start it.
        """
        work, settings = self._place.runs.work_to_tell_of(self._task.id), self._place.settings
        prompt = build_prompt(self._task, self._agent, settings, self._id, history, work)
        origin_state = asyncio.ensure_future(self._place.scm.origin_state())
        try:
            handle = await self.start(worktree, prompt)
        except (AttemptFailedError, OmniError, OSError):
            origin_state.cancel()
            raise
        self._place.spares_due.set()
        try:
            at = self._services.clock.now()
            launched = Launched(handle=handle, at=at, origin_state=await contained(origin_state))
            agent = self._agent
            provider = provider_of(agent)
            self._services.record(
                "attempt.started",
                self._id,
                agent=agent.name,
                harness=agent.harness,
                provider=provider,
                chosen=agent.chosen,
            )
        except LeaseLostError:  # the agent is the next owner's
            raise
        except (OmniError, OSError):
            await end_agent(self._services, self._id, handle)
            raise
        return launched

    async def start(self, worktree: Worktree, prompt: str) -> Handle:
        """Start the agent with a prompt. Raises `AttemptFailedError` where the runtime cannot."""
        self._services.held.hold(self._place.secrets())
        assignment = self.assignment(worktree)
        self._run.write_prompt(prompt)
        self._run.open_events()
        try:
            return await self._services.runtime.start(self._launch(assignment, self._harness.prepare(assignment)))
        except RuntimeFailedError as error:
            raise AttemptFailedError(Failure(kind=FailureKind.LAUNCH, message=str(error))) from error

    def _launch(self, assignment: Assignment, invocation: Invocation) -> Launch:
        return Launch(
            name=self._id.process,
            argv=invocation.argv,
            cwd=assignment.worktree,
            env=invocation.env,
            run_dir=assignment.run_dir,
            confinement=self._confinement(assignment, invocation),
            file_bytes=self._services.file_bytes(),
            output_bytes=self._services.output_bytes(),
            caps=self._services.settings().load.caps,
        )

    def assignment(self, worktree: Worktree) -> Assignment:
        """Return what the agent is told of its attempt."""
        secrets = {
            name: self._services.variables[name] for name in self._agent.secrets if name in self._services.variables
        }
        return Assignment(
            attempt=self._id,
            agent=self._agent,
            worktree=Path(worktree.path),
            run_dir=self._run.dir,
            state_dir=self._run.state,
            login_dir=self._place.paths.fleet.logins / self._agent.harness,
            prompt=self._run.prompt,
            events=self._run.events,
            environment=self._services.allowed_environment() | dict(self._place.checkouts.environment) | secrets,
            base=worktree.base,
            questions=self._services.settings().questions,
            trial=self._trial,
        )

    def _confinement(self, assignment: Assignment, invocation: Invocation) -> Confinement:
        settings = self._services.settings().sandbox
        return self._place.confinement(
            assignment.worktree,
            settings,
            read=(assignment.prompt, *invocation.read),
            write=(assignment.events, *invocation.write),
            net=settings.net == "host",
            passage=passage(settings, (*self._agent.hosts, *invocation.hosts), self._run.refusals),
        )
