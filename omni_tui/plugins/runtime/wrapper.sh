# Runs one agent and writes down what a window cannot be trusted with: which process it is, and how it ended.
#
#   sh wrapper.sh claim RUN_DIR BOOT_ID METHOD TTY [COMMAND...]   the process that `Handle.pid` names
#   sh wrapper.sh run RUN_DIR                                    started by COMMAND, in a PID namespace as its process 1;
#                                                                without COMMAND, what launch.sh starts makes one itself
#
# Each record is one line, written by one write to a file that must not exist yet (set -C): a second start in the same
# RUN_DIR ends here, and a reader who misses the final newline has read no record. Nothing is forked before the agent
# but the removal of launch.sh, which may hold secrets; an `mv` for each record would cost as much as the shell.
# The traps keep a Ctrl-C that is meant for the agent from ending its witness; a child does not inherit them. They are for
# the second half only: a hang-up that the first one swallowed would leave `unshare`, and so the agent, without terminal.

read_start_time() { started=${20}; } # proc(5): field 22 of stat, and what follows the name begins at field 3

case $1 in
claim)
    run=$2 boot=$3 method=$4 tty=$5
    shift 5
    # Opened by a session leader without a terminal, it becomes the controlling one.
    [ "$tty" = - ] || exec <"$tty" >"$tty" 2>&1
    started=-
    if [ -r /proc/$$/stat ]; then
        read -r stat </proc/$$/stat
        read_start_time ${stat##*) }
        exec 4</proc/$$/stat # unread, and read by the other half: it has no other way to see us
    fi
    if [ -f "$run/groups" ]; then
        while read -r group; do
            echo 0 2>/dev/null >"$group/cgroup.procs" || : >"$run/uncapped"
        done <"$run/groups"
    fi
    set -C
    echo "$$ $started $boot $method ${TMUX_PANE:--}" >"$run/process" || exit 125
    exec "$@" /bin/sh "$0" run "$run"
    ;;
run)
    run=$2
    trap : HUP INT QUIT TERM
    # In a namespace of ours we die with the process that made it, but only from the moment in which we asked for that:
    # if it died before, as with a tmux server that is killed then, nobody would know of an agent that starts now.
    if true 2>/dev/null <&4; then
        read -r stat <&4 || exit 125
        case ${stat##*) } in [ZX]*) exit 125 ;; esac
        exec 4<&-
    fi
    exec 3<"$run/launch.sh" || exit 125
    /bin/rm -f "$run/launch.sh" &
    (. /dev/fd/3)
    status=$?
    set -C
    echo "$status" >"$run/exit"
    ;;
esac
