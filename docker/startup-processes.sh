# shellcheck shell=bash disable=SC2154
# Which process is which. Sourced by startup-local.sh.
# A number alone says nothing: after a crash or a reboot it may be somebody else's. So run/NAME.start says beside
# run/NAME.pid when that process began, and of which data folder it is.

pid_of() { cat "$home/run/$1.pid" 2>/dev/null || true; }

# When a process began, in words that no later process repeats; fails for one that is gone, or dead and only waits
# for its parent to notice.
began() {
  local stat fields
  if [[ -r /proc/self/stat ]]; then
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # The program's name stands in brackets and may hold anything; after it come the state and 18 more fields.
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] && printf '%s %s\n' "$(</proc/sys/kernel/random/boot_id)" "${fields[19]}"
  else
    stat=$(LC_ALL=C TZ=UTC ps -o stat= -o lstart= -p "$1" 2>/dev/null) && [[ -n $stat && $stat != Z* ]] \
      && printf '%s\n' "${stat#* }"
  fi
}

arguments_of() {
  if [[ -r /proc/self/cmdline ]]; then tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline"; else ps -ww -o args= -p "$1"; fi
}

# What the arguments of a node (of a data folder, else of this one) or of the page begin with, after the program's path.
is_program() { # name, pid, folder
  local arguments
  arguments=$(arguments_of "$2" 2>/dev/null) || return 1
  case $1 in
    visualizer) [[ $arguments == */chordchat-visualizer\ --port\ * ]] ;;
    *) [[ $arguments == */chordchat-node\ run\ --data\ "${3:-$home}/nodes/$1"\ * ]] ;;
  esac
}

# Whether the process that run/NAME.pid names is still that very one.
runs() {
  local pid now
  pid=$(pid_of "$1")
  [[ $pid =~ ^[1-9][0-9]*$ ]] && now=$(began "$pid") || return 1
  if [[ -f $home/run/$1.start ]]; then
    [[ $(<"$home/run/$1.start") == "$now $home" ]] && is_program "$1" "$pid"
  else
    # Of a version that wrote no start time: the whole path of the program has to do.
    is_program "$1" "$pid" && [[ $(arguments_of "$pid") == "$built"/chordchat-* ]]
  fi
}

# The data folder for which the process that run/NAME.pid names was started, while it is still that very one. Another
# than this one when the folder was moved meanwhile.
folder_of() {
  local pid now began_for
  pid=$(pid_of "$1")
  [[ $pid =~ ^[1-9][0-9]*$ && -f $home/run/$1.start ]] && now=$(began "$pid") || return 1
  began_for=$(<"$home/run/$1.start")
  [[ $began_for == "$now "/* ]] || return 1
  began_for=${began_for#"$now "}
  is_program "$1" "$pid" "$began_for" && printf '%s\n' "$began_for"
}

started=()   # what this run of startup.sh has started
remember() { # name, pid: returns once the process has become the program, or has ended
  local try
  started+=("$1")
  if ! { printf '%s %s\n' "$(began "$2")" "$home" >"$home/run/$1.start" && printf '%s\n' "$2" >"$home/run/$1.pid"; }; then
    kill -TERM "$2" 2>/dev/null || true # Nobody would know it again.
    die "$home/run cannot be written, so $1 was stopped again"
  fi
  for ((try = 0; try < 100; try++)); do
    if is_program "$1" "$2" || ! began "$2" >/dev/null; then return; fi
    sleep 0.05
  done
}

# Asks all of them first, and kills only what does not go within ten seconds.
stop_these() {
  local name try
  for name in "$@"; do
    if runs "$name"; then kill -TERM "$(pid_of "$name")" 2>/dev/null || true; fi
  done
  for name in "$@"; do
    for ((try = 0; try < 100; try++)); do
      runs "$name" || break
      sleep 0.1
    done
    if runs "$name"; then kill -KILL "$(pid_of "$name")" 2>/dev/null || true; fi
    rm -f "$home/run/$name.pid" "$home/run/$name.start"
  done
}

# A start that fails leaves nothing half started. What ran before it runs on.
undo_failed_start() {
  local code=$?
  if ((code != 0 && ${#started[@]} > 0)); then
    stop_these "${started[@]}"
    say "everything that this start had started is stopped again: ${started[*]}" >&2
  fi
}
