# shellcheck shell=bash disable=SC2154
# Which ports are free, and who has the others. Sourced by startup-local.sh and startup-containers.sh.

# What the start was told, else what the last one that worked used.
choose_ports() {
  port=${port:-$(saved port)}
  port=${port:-7401}
  page_port=${page_port:-$(saved visualizer.port)}
  page_port=${page_port:-7480}
  host_names=${host_names:-$(saved host-names)}
  export CHORDCHAT_PAGE_HOSTS=$host_names
}

# Local addresses that something listens at, as Linux writes them: hex, a colon, the port in hex.
listeners() { awk 'FNR > 1 && $4 == "0A" { print $2, $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null; }

# 127.0.0.1, ::1, both "any" addresses, and 127.0.0.1 as IPv6 writes it.
here_or_any='0100007F|00000000000000000000000001000000|0{8}|0{32}|0000000000000000FFFF00000100007F'

# The listener's socket number, when a program of ours could not listen there. With --lan any address counts.
listener_at() {
  local at
  printf -v at '%04X' "$1"
  if [[ -n $lan ]]; then listeners | awk -v at=":$at" 'index($1, at) { print $2; exit }'; return; fi
  listeners | grep -E "^($here_or_any):$at " | awk '{ print $2; exit }'
}

port_taken() {
  if [[ -r /proc/net/tcp ]]; then [[ -n $(listener_at "$1") ]]; else (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; fi
}

# In words, whoever listens at a port: what it was started as, and its number.
holder_of() {
  local pid='' socket what
  if [[ -r /proc/net/tcp ]]; then
    socket=$(listener_at "$1")
    pid=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$socket\]" 2>/dev/null | cut -d/ -f3 | head -1) || true
  elif command -v lsof >/dev/null; then
    pid=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -t 2>/dev/null | head -1) || true
  fi
  [[ -n $pid ]] || { echo "a program of another user"; return; }
  what=$(ps -ww -o args= -p "$pid" 2>/dev/null | tr -cd '[:print:]' | cut -c 1-90) || true
  echo "${what:-a program} (pid $pid)"
}

# The first of COUNT neighbouring free ports above FROM, the page's own left out.
free_ports() { # count, from
  local count=$1 at=$2 i
  while ((at += 100, at + count < 65536)); do
    for ((i = 0; i < count; i++)); do
      if ((at + i == page_port)) || port_taken $((at + i)); then continue 2; fi
    done
    echo "$at"
    return
  done
  echo 'P'
}

# Says which ports are taken, by whom, and what to type; ends the start before anything has begun.
# Arguments: how many nodes; then the node ports that are taken; then, after a -, the page's when it is.
refuse_ports() {
  local count=$1 at advice='' list=''
  shift
  while (($# > 0)) && [[ $1 != - ]]; do
    list+="  $1  $(holder_of "$1")"$'\n'
    advice=" --port $(free_ports "$count" "$port")"
    shift
  done
  for at in "${@:2}"; do
    list+="  $at  $(holder_of "$at")"$'\n'
    advice+=" --page-port $(free_ports 1 "$at")"
  done
  die "nothing was started, because these ports are taken:"$'\n'"${list}Stop that program, or type: ${as_here}./startup.sh$advice"
}
