#!/bin/bash
# A node container: takes one identity of the shared /data volume that no other container runs, and runs it.
# A container is only a runner; the node is its folder, so any container can bring back any node.
#   node.sh                      be a node; makes the cluster, or joins it, where that is what is missing
#   node.sh init N [options]     make a cluster of N nodes unless there is one; prints how many nodes it has
#   node.sh healthy              whether the node of this container lives
set -euo pipefail
umask 077
shopt -s nullglob

mine=/tmp/node-folder # what this container ran last
health_port=7479
folder=''

# Not by the program itself, which takes a quarter of a second of CPU to start: engines ask every few seconds.
healthy() {
  local status
  exec 3<>"/dev/tcp/127.0.0.1/$health_port"
  printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  read -r status <&3
  [[ $status == *' 200 '* ]]
}

# How many node containers there are: the addresses behind the service's name, once they stop growing in number.
count_containers() {
  local seen=-1 now=0
  while ((now > seen)); do
    seen=$now
    sleep 3
    now=$(getent ahostsv4 node | awk '{ print $1 }' | sort -u | wc -l)
  done
  echo $((seen > 0 ? seen : 1))
}

has_cluster() { [[ -f /data/cluster/cluster.json ]]; }

# The lock keeps two containers from making two clusters.
init() { # number of founders ('' counts them), options of 'cluster init'
  local founders=$1
  exec 9>/data/init.lock
  flock 9
  if ! has_cluster; then
    chordchat-node cluster init --data /data --nodes "${founders:-$(count_containers)}" "${@:2}" >&2
  elif (($# > 1)); then
    echo 'what was fixed when the cluster was made is not changed' >&2
  fi
  exec 9>&-
}

# Holds the lock of a folder on descriptor 8. The node inherits it, so the folder is taken while the node lives.
take() {
  for folder in $(cat "$mine" 2>/dev/null) $(printf '%s\n' /data/nodes/* | sort -V); do
    exec 8>"$folder/container.lock"
    if flock -n 8; then return; fi
  done
  return 1
}

# More containers than identities: gets one more, through whichever node answers.
join() {
  local at token
  for at in $(cat /data/nodes/*/address); do
    if token=$(chordchat-node cluster invite --data /data --node "$at") \
      && chordchat-node cluster join "$token" --data /data; then return; fi
  done
  sleep 1
}

run() {
  has_cluster || init ''
  if ! take; then
    exec 7>/data/join.lock
    flock 7
    until take; do join; done
    exec 7>&-
  fi
  echo "$folder" >"$mine"
  exec chordchat-node run --data "$folder" --listen 0.0.0.0:7401 --seed node:7401 --health-port "$health_port"
}

case ${1:-run} in
  run) run ;;
  init) init "${@:2}"; printf '%s\n' /data/nodes/* | wc -l ;;
  healthy) healthy ;;
  *) exec "$@" ;;
esac
