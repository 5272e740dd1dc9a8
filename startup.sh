#!/usr/bin/env bash
# Starts a ChordChat cluster on this machine: nodes, ring and visualizer. `./startup.sh --help` says the rest.
set -euo pipefail

program=${BASH_SOURCE[0]}
while [[ -L $program ]]; do # A link in ~/bin, say; "readlink -f" is not everywhere.
  link=$(readlink "$program")
  [[ $link == /* ]] || link=$(dirname -- "$program")/$link
  program=$link
done
here=$(CDPATH='' cd -P -- "$(dirname -- "$program")" >/dev/null && pwd)
home=${CHORDCHAT_HOME:-$here/.chordchat}
[[ $home == /* ]] || home=$PWD/$home

# One spelling for one folder, whichever links and slashes lead there: it is part of how a process is known again.
# A folder that is to be made gets the one that it will have.
spelled() {
  local at=$1 below=''
  until [[ -d $at ]]; do
    while [[ $at == */ ]]; do at=${at%/}; done
    below=/${at##*/}$below
    at=${at%/*}/
  done
  at=$(CDPATH='' cd -P -- "$at" >/dev/null && pwd) || return 1
  printf '%s%s\n' "${at%/}" "$below"
}
home=$(spelled "$home") || exit 1

# Commands in hints begin with this; without it they would mean another cluster.
as_here=''
[[ -z ${CHORDCHAT_HOME:-} ]] || printf -v as_here 'CHORDCHAT_HOME=%q ' "$home"
for variable in COMPOSE_PROJECT_NAME CHORDCHAT_CLIENT CHORDCHAT_BUILT; do
  [[ -z ${!variable:-} ]] || printf -v as_here '%s%s=%q ' "$as_here" "$variable" "${!variable}"
done
built=${CHORDCHAT_BUILT:-$here/artifacts/bin}
nodes='' replicas='' demo='' lan='' lan_told='' local_mode='' host_names='' port='' page_port=''

die() { printf 'startup: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*"; }

usage() {
  cat <<'TEXT'
usage: ./startup.sh [options]          start, or bring back what is missing
       ./startup.sh status             one line per node; exit code 0 only when all are ready and the page runs
       ./startup.sh logs [node]        follow the log of one node, or of all
       ./startup.sh stop               stop everything; data stays

  --nodes N      how many nodes (default 5, or as many as the cluster has); missing ones join
  --replicas K   copies besides the owner's, fixed when the cluster is made (default 2; 1 with two nodes, 0 with one)
  --local        plain processes, even where a Docker engine answers
  --demo         make a demo cluster: new users may choose any password, and a to h exist with password 1. Only when the
                 cluster is made, and only for trying things out
  --lan          local nodes answer on all interfaces instead of loopback only, also at the next start
  --no-lan       loopback only again
  --port P       first node port; nodes use P, P+1, ... (default 7401, or what the last start used)
  --page-port P  the visualizer's port (default 7480, or what the last start used)
  --host-name N  another name for the page besides localhost, for example that of a proxy; repeatable

Data and certificates live in .chordchat (or CHORDCHAT_HOME), with containers in Docker volumes. To start over: stop,
then delete that folder; with containers also: docker compose (or docker-compose) -f docker/compose.yaml down -v
TEXT
}

# What the last start that worked has left in run/NAME; nothing when there was none.
saved() { cat "$home/run/$1" 2>/dev/null || true; }

# Puts that there, as one step: on a full disk the old content stays.
keep() {
  [[ ! -f $home/run/$1 || $(saved "$1") != "$2" ]] || return 0
  printf '%s\n' "$2" >"$home/run/$1.new" && mv "$home/run/$1.new" "$home/run/$1"
}

# One ./startup.sh at a time works on a data folder, where flock is known. Processes that outlive it
# must not inherit descriptor 8, or they would keep the lock.
one_at_a_time() {
  if command -v flock >/dev/null; then
    exec 8>"$home/run/startup.lock"
    flock -n 8 || { say 'another ./startup.sh is working on this cluster; waiting for it ...'; flock 8; }
  fi
  choose_lan # Not before: the other one may have changed it.
}

# What this start was told, else what the last one that worked used.
choose_lan() {
  local file name
  [[ $mode == local ]] || return 0
  [[ -n $lan_told ]] || lan=$(saved lan)
  [[ $lan != "$(saved lan)" ]] || return 0
  for file in "$home"/run/*.pid; do
    name=${file##*/}
    name=${name%.pid}
    if [[ $name != visualizer ]] && runs "$name"; then
      say "(nodes that run stay as they are until ${as_here}./startup.sh stop; --lan or --no-lan is for the next start)"
      return
    fi
  done
}

# Puts an option's number into value. Zeros in front do not make it octal; with too many digits it is just too large.
whole() {
  [[ $2 =~ ^0*([0-9]+)$ ]] || die "$1 needs a whole number, not '$2'"
  value=${BASH_REMATCH[1]}
  ((${#value} <= 9)) || value=999999999
}

# Whether somebody may open the page by it; the same rule as the page's own, VisualizerOptions.Problems.
is_host_name() {
  local LC_ALL=C name=$1 label=$'[A-Za-z0-9\x80-\xff][A-Za-z0-9_\x80-\xff-]{0,62}'
  if [[ $name == *:* ]]; then
    [[ $name != '['*']' ]] || { name=${name#'['}; name=${name%']'}; }
    is_ipv6 "$name"
  else
    [[ $name =~ ^$label(\.$label)*\.?$ ]]
  fi
}

# Eight groups, or fewer with one gap; the last two may be an IPv4 address.
is_ipv6() {
  local rest=$1 group='[0-9A-Fa-f]{1,4}' byte='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])' colons
  [[ ! $rest =~ ^(.*:)$byte(\.$byte){3}$ ]] || rest=${BASH_REMATCH[1]}0:0
  [[ ! $rest =~ ^$group(:$group){7}$ ]] || return 0
  [[ $rest =~ ^($group(:$group)*)?::($group(:$group)*)?$ ]] || return 1
  rest=${rest/::/:}
  rest=${rest#:}
  rest=${rest%:}
  colons=${rest//[!:]/}
  ((${#colons} <= 6)) # Between seven groups.
}

# Adds an option's names to those of the page. Before anything is stopped or kept: the page would not start with others.
name_page() {
  local name names
  IFS=', ' read -r -d '' -a names < <(printf '%s\0' "$1")
  ((${#names[@]} > 0)) || die "--host-name needs a name"
  for name in "${names[@]}"; do
    is_host_name "$name" \
      || die "--host-name is \"$name\"; it must be a name or an address without a port, like ring.lan"
    host_names+="${host_names:+,}$name"
  done
}

command='start' log_node=''
while (($#)); do
  case $1 in
    --nodes|--replicas|--port|--page-port) (($# > 1)) || die "$1 needs a number"; whole "$1" "$2" ;;&
    --nodes) nodes=$value; ((value >= 1 && value <= 64)) || die "--nodes must be 1 to 64"; shift ;;
    --replicas) replicas=$value; ((value <= 6)) || die "--replicas must be 0 to 6"; shift ;;
    --port|--page-port)
      ((value >= 1 && value <= 65535)) || die "$1 must be 1 to 65535"
      if [[ $1 == --port ]]; then port=$value; else page_port=$value; fi
      shift ;;
    --host-name) (($# > 1)) || die "--host-name needs a name"; name_page "$2"; shift ;;
    --local) local_mode=1 ;;
    --demo) demo=1 ;;
    --lan) lan_told=1 lan=1 ;;
    --no-lan) lan_told=1 lan='' ;;
    stop|status) command=$1 ;;
    logs) command=logs; if (($# > 1)) && [[ $2 != -* ]]; then log_node=$2; shift; fi ;;
    -h|--help) usage; exit 0 ;;
    *) die "unknown option or command '$1'; see ./startup.sh --help" ;;
  esac
  shift
done

# Which way it was started decides how it is asked and stopped.
mode_file=$home/run/mode
mode=$(cat "$mode_file" 2>/dev/null || true)

engine_answers() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }
if [[ -z $mode ]]; then
  if [[ -z $local_mode ]] && engine_answers; then mode=containers; else mode=local; fi
elif [[ -n $local_mode && $mode == containers && $command == start ]]; then
  die "this cluster runs in containers. To use --local, first type '${as_here}./startup.sh stop' and delete $home;" \
    "the old data stays in the Docker volumes"
fi

case $mode in
  local) source "$here/docker/startup-local.sh" ;;
  containers) source "$here/docker/startup-containers.sh" ;;
  *) die "$mode_file says '$mode'; delete it and start again" ;;
esac

# Nobody reads any more what it says (| head -1): it ends as by any other signal, so that a start is undone.
trap 'exit 141' PIPE
"cluster_$command"
