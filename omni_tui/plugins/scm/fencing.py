"""A repository's fence: a ref of our own that every write of a ref looks at, in one transaction.

It names the epoch of the fleet's owner. A new owner moves it before it looks at anything else, and git lets no
transaction through that expects the former one, however long ago that was begun. `git cat-file -p refs/omni/fence`
tells a person whose the repository is.
"""

from __future__ import annotations

import msgspec

from omni_tui.errors import ScmError
from omni_tui.model.fence import Fence
from omni_tui.plugins.gitcmd import FENCE, Git
from omni_tui.plugins.gitrefs import WritableRef

_TRIES = 5


def put_up(bare: Git, fence: Fence) -> Git:
    """Return the repository as the owner writes to it; where there is no owner, as it is.

    Raises `LeaseLostError` where it is another's. What the fence was is read first: if another owner comes after the
    look at the lease, the fence is not that any more.
    """
    if not fence.epoch:
        return bare
    ours = bare.run("hash-object", "-w", "--stdin", stdin=f"{fence.epoch}\n".encode()).text
    for number in range(1, _TRIES + 1):
        before = bare.text("rev-parse", "--verify", "--quiet", "--end-of-options", FENCE, accept=(0, 1))
        fence.check()
        try:
            bare.update_ref(WritableRef(FENCE), ours, before or "0" * len(ours))
        except ScmError:  # moved meanwhile: if by another owner, the lease tells
            if number == _TRIES:
                raise
        else:
            break
    return msgspec.structs.replace(bare, fence=ours)
