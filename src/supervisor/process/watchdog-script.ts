import {AUTOMATED_BROWSER, EDITOR, USERS_PROGRAM} from '../../platform/shared-programs.ts'

/** Shell command that runs the script in the variable `SCRIPT`. (As an argument, `ps` would show all of it.) */
export const WATCHDOG_LOADER = 'script=$SCRIPT; unset SCRIPT; eval "$script"'

/**
 * The script of the watchdog, as text so that the bundle and the executable contain it. Runs in any POSIX shell. `$1`: marker of the run, `$2`:
 * grace period in ms, `$3`: folder of the run's socket. Reads commands of `watchdog.ts`: `+GROUP START`, `-GROUP`, `grace MILLISECONDS`,
 * `container GROUP:START NAME ENGINE` (the engine as words of a shell), `network NAME ENGINE`, `spare LIFE`, `terminal DEVICE KEYS SAVED`
 * (modes of `stty -g`), `bye`. If its input ends without `bye`, the run was killed.
 *
 * Pids are reused, so that the script writes a process as `PID:START`. A group still belongs to the run while its leader has the given start
 * time (even as a zombie), or a living process in it has the marker or was seen in it before. `is` checks a process outside the groups again
 * before each signal. macOS hides the environment of its own programs: there the script reads the start of a leader when its group is added,
 * since ps formats it differently, and `below` finds the descendants of a group by their parents.
 *
 * After the end of its input, the script restores the terminal, unless its modes were changed meanwhile. `ask` sends TERM to each process once,
 * in the order of `end-group.ts`: until `half` to no process whose parent or leader runs or may have forwarded it. `finish` sends KILL until no
 * process is left at two looks in a row, since a child between fork and exec does not have the marker yet.
 *
 * `seen` writes processes as PID:START:GROUP:PARENT:STATE, whatever characters their names contain (proc(5)). `remove` removes containers whose
 * commands have ended, at once, since the next run may use their names; networks follow. Ignores errors of engines: the container is gone then.
 * `limit` ends an engine's program after ten seconds, since it hangs with its daemon.
 */
export const WATCHDOG_SCRIPT = `# pillion: ends what the run leaves behind when it is killed
mark=PILLION_RUN=$1 grace=$2 home=$3 groups=' ' lives= terminal= containers= networks= known=' ' asked=' ' heirs=' ' spared=' ' kin=' '
nl='
'
trap '' HUP INT TERM

if [ -e /proc/self/stat ]; then
  seen() { cat "$@" | sed -En 's/^([0-9]+) \\(.*\\) (.) ([-0-9]+) ([-0-9]+) ([-0-9]+ ){16}([0-9]+) .*/\\1:\\6:\\4:\\3:\\2/p'; }
  all() { seen /proc/[0-9]*/stat; }
  one() { seen "/proc/$1/stat"; }
  likely() { grep -lszF -e "$mark" /proc/[0-9]*/environ | sed 's/[^0-9]//g'; }
  line_of() { tr '\\0' ' ' <"/proc/$1/cmdline"; }
  parent_of() { sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status"; }
  carries() { tr '\\0' '\\n' <"/proc/$1/environ" | grep -qxF -e "$2"; }
  catches() { grep -q '^SigCgt:.*[4-7c-f]...$' "/proc/$1/status"; }
  activity() { sed -En '/^(State|SigPnd|ShdPnd)|ctxt_switches/p' "/proc/$1/status"; }
  clock() { read -r up rest </proc/uptime; now=\${up%.*}\${up#*.}; }
  below() { :; }
else
  seen() { ps "$@" -o pid=,lstart=,pgid=,ppid=,stat= | sed -En 's/^ *([0-9]+) +(.*[^ ]) +([0-9]+) +([0-9]+) +([A-Za-z]).*/\\1:\\2:\\3:\\4:\\5/; s/:([0-9][0-9]):([0-9][0-9]) /-\\1-\\2 /; s/ +/_/g; p'; }
  all() { seen -A; }
  one() { seen -p "$1"; }
  likely() { rows=$(ps -A -E -ww -o pid=,command=); printf '%s\\n' "$rows" | grep -F -e " $mark" | sed 's/^ *//; s/ .*//'; }
  line_of() { ps -ww -o command= -p "$1"; }
  parent_of() { ps -o ppid= -p "$1" | tr -d ' '; }
  carries() { ps -E -ww -o command= -p "$1" | sed 's/$/ /' | grep -qF -e " $2 "; }
  catches() { false; }
  clock() { now=$(date +%s)00; }
  below() {
    ps -A -o pid=,ppid=,pgid=,stat=,lstart= | awk -v groups="$ours" -v known="$kin" '
      $4 !~ /^Z/ { gsub(":", "-", $8); start[$1] = $5 "_" $6 "_" $7 "_" $8 "_" $9; parent[$1] = $2; group[$1] = $3
        if (index(groups, " " $3 " ") || index(known, " " $1 ":" start[$1] " ")) found[$1] = 1 }
      END { do { more = 0; for (p in parent) if (!(p in found) && parent[p] in found) found[p] = more = 1 } while (more)
        for (p in found) if (!index(groups, " " group[p] " ")) print p ":" start[p] }'
  }
fi

while read -r word rest; do
  case $word in
    +*) groups="$groups\${word#+}:$rest "
      [ -e /proc/self/stat ] || known="$known$(one "\${word#+}" | sed 's/:[^:]*:[^:]*:[^:]*$//') " ;;
    -*) kept=' '; for g in $groups; do [ "\${g%:*}" = "\${word#-}" ] || kept="$kept$g "; done; groups=$kept ;;
    container) containers=$containers$rest$nl ;;
    network) networks=$networks$rest$nl ;;
    grace) grace=$rest ;;
    spare) lives="$lives $rest" ;;
    terminal) terminal=$rest ;;
    bye) exit 0 ;;
  esac
done

set -- $terminal
if [ -n "$3" ] && [ "$(stty -g <"$1")" = "$2" ]; then stty "$3" <"$1"; fi

look() {
  likely=" $(likely | tr '\\n' ' ')" members= proved=' ' ours=' ' orphans= left=
  for p in $(all); do
    pid=\${p%%:*} rest=\${p#*:} state=\${p##*:}
    start=\${rest%%:*} group=\${rest#*:}; group=\${group%%:*}
    case $groups in
      *" $group:"*)
        members="$members $p"
        case "$groups$known" in *" $pid:$start "*) proved="$proved$group " ;; esac
        case $likely in *" $pid "*) proved="$proved$group " ;; esac ;;
      *) [ "$state" = Z ] || case $likely in *" $pid "*) isspared || orphans="$orphans \${p%:*}" ;; esac ;;
    esac
  done
  for p in $members; do
    rest=\${p%:*} state=\${p##*:}
    group=\${rest#*:*:}; group=\${group%:*}
    case $proved in *" $group "*) ;; *) continue ;; esac
    [ "$state" = Z ] && continue
    known="$known\${rest%:*:*} " ours="$ours$group " left="$left $rest"
  done
  kin=" $(below | tr '\\n' ' ')"
  for p in $kin; do
    case "$orphans " in *" $p:"*) ;; *) orphans="$orphans $p::" ;; esac
  done
  left=$left$orphans
}

isspared() {
  case "$spared" in *" $pid:$start "*) return 0 ;; esac
  for life in $lives; do
    carries "$pid" "PILLION_LIFE=$life" && spared="$spared$pid:$start " && return 0
  done
  above=$pid wanted='${USERS_PROGRAM}'
  while case $likely in *" $above "*) ;; *) false ;; esac; do
    line_of "$above" | grep -E -e "$wanted" | grep -qvE -e '${AUTOMATED_BROWSER}' && spared="$spared$pid:$start " && return 0
    above=$(parent_of "$above") wanted='${EDITOR}'
  done
  return 1
}

is() {
  case $(one "$1") in
    *:Z) return 1 ;;
    "$1:$2:"*) case $kin$known in *" $1:$2 "*) ;; *) carries "$1" "$mark" ;; esac ;;
    *) return 1 ;;
  esac
}

ask() {
  here=' '
  for p in $left; do here="$here\${p%%:*} "; done
  for p in $left; do
    pid=\${p%%:*} rest=\${p#*:}
    start=\${rest%%:*} parent=\${rest##*:} group=\${rest#*:}; group=\${group%:*}
    case $asked in *" $pid:$start "*) continue ;; esac
    if [ "$now" -lt "$half" ]; then
      case $here in *" $parent "*) continue ;; esac
      [ "$group" = "$pid" ] || case $here in *" $group "*) continue ;; esac
      case $heirs in *" $pid:$start "*)
        eval "was=\\$was_$pid"
        case $was in *'R ('*) continue ;; "$(activity "$pid")") ;; *) continue ;; esac ;;
      esac
    fi
    is "$pid" "$start" || continue
    catches "$pid" && for d in $(descendants "$pid"); do heirs="$heirs$d "; eval "was_\${d%:*}=\\$(activity \${d%:*})"; done
    kill -TERM "$pid"
    asked="$asked$pid:$start "
  done
}

descendants() {
  printf '%s\\n' $left | awk -F: -v top="$1" '
    { start[$1] = $2; parent[$1] = $4 }
    END { found[top] = 1; do { more = 0; for (p in parent) if (!(p in found) && parent[p] in found) found[p] = more = 1 } while (more)
      for (p in found) if (p != top) printf "%s:%s ", p, start[p] }'
}

finish() {
  for g in $groups; do
    case $ours in *" \${g%:*} "*) kill -KILL "-\${g%:*}" ;; esac
  done
  for p in $orphans; do
    rest=\${p#*:}
    is "\${p%%:*}" "\${rest%%:*}" && kill -KILL "\${p%%:*}"
  done
}

remove() {
  held=$containers containers=
  while [ -n "$held" ]; do
    line=\${held%%"$nl"*} held=\${held#*"$nl"}
    group=\${line%% *} name=\${line#* }; engine=\${name#* } name=\${name%% *}
    case $ours in *" \${group%:*} "*) containers=$containers$line$nl; continue ;; esac
    case $groups in *" $group "*) eval "$engine rm --force --volumes \\"\\$name\\" </dev/null & limit \\$!" ;; esac
  done
}

limit() {
  (
    n=0
    while [ "$n" -lt 100 ] && kill -0 "$1"; do n=$((n + 1)); sleep 0.1 || sleep 1; done
    [ "$n" -lt 100 ] || kill -KILL "$1"
  ) &
}

clock
end=$((now + grace / 10)) half=$((now + grace / 20)) calm=0 kills=0
while [ "$calm" -lt 2 ] && [ "$kills" -lt 20 ]; do
  look
  remove
  clock
  if [ -z "$left" ]; then calm=$((calm + 1))
  elif calm=0 && [ "$now" -lt "$end" ]; then ask
  else finish; kills=$((kills + 1))
  fi
  sleep 0.1 || sleep 1
done
ours=' '
remove
wait
while [ -n "$networks" ]; do
  line=\${networks%%"$nl"*} networks=\${networks#*"$nl"}
  name=\${line%% *}
  eval "\${line#* } network rm \\"\\$name\\" </dev/null & limit \\$!"
done
wait
[ -n "$home" ] && cd "$home" && rm -rf daprd-* && rm -f socket new about about.new spared data dashboard.html && rmdir "$home"
`
