#!/bin/bash
# What containers of the node image do.
#   node.sh                      be a node: take one identity of /data/nodes that no other container runs, and run it
#   node.sh healthy              whether the node of this container lives
# Only in the admission container, the one that has the authority's key (/authority):
#   node.sh init N [options]     make a cluster of N nodes unless there is one; prints how many nodes it has
#   node.sh admit                make the cluster if that is missing, and an identity for each further node container
# A node container is only a runner; the node is its folder, so any container can bring back any node.
set -euo pipefail
umask 077
shopt -s nullglob

health_port=7479
folder=''

# Not by the program itself, which takes a quarter of a second of CPU to start: engines ask every few seconds.
healthy() {
  local status
  [[ ! -f /tmp/drained ]] || return 0
  exec 3<>"/dev/tcp/127.0.0.1/$health_port"
  printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  read -r status <&3
  [[ $status == *' 200 '* ]]
}

# --- a node

# Without those of nodes that have gone for good.
complete_folders() {
  local file
  for file in /data/nodes/*/cluster.json; do
    [[ -f ${file%/*}/drained ]] || printf '%s\n' "${file%/*}"
  done | sort -V
}

# Nodes that have gone for good; with an argument, only the one that this container ran last.
drained_folders() {
  local file
  for file in /data/nodes/*/drained; do
    if (($# == 0)) || [[ $(cat "${file%/*}/runner" 2>/dev/null) == "$HOSTNAME" ]]; then printf '%s\n' "${file%/*}"; fi
  done
}

# Holds the lock of a folder on descriptor 8. The node inherits it, so the folder is taken while the node lives.
# First the folder that this container ran last, then those that no container has run, then any. But if the node of this
# container was drained, none that another container ran: that one may only be slow to start.
take() {
  local candidates rank drained
  drained=$(drained_folders mine)
  candidates=$(for folder in $(complete_folders); do
    rank=2
    [[ -f $folder/runner ]] || rank=1
    [[ $(cat "$folder/runner" 2>/dev/null) != "$HOSTNAME" ]] || rank=0
    [[ $rank != 2 || -z $drained ]] || continue
    printf '%s %s\n' "$rank" "$folder"
  done | sort -s -k 1,1 | cut -d ' ' -f 2)
  for folder in $candidates; do
    exec 8>"$folder/container.lock"
    if flock -n 8; then return; fi
  done
  exec 8>&-
  return 1
}

# Whoever finds no folder waits for one; the admission container sees that it waits. A container whose node was drained
# asks for no other: its operator wants one node less. It does not end either, or the engine would start it for ever.
run() {
  local drained=''
  mkdir -p /data/waiting
  until take; do
    if [[ -n $drained ]]; then
      : # Also when the folder has been deleted since.
    elif drained=$(drained_folders mine) && [[ -n $drained ]]; then
      echo "${drained##*/} was drained, so this container waits and runs no node. Delete $drained; the next" \
        "./startup.sh removes this container. To let the node come back, delete $drained/drained instead"
      touch /tmp/drained
    else
      touch "/data/waiting/$HOSTNAME"
    fi
    sleep 1
  done
  rm -f "/data/waiting/$HOSTNAME" /tmp/drained
  echo "$HOSTNAME" >"$folder/runner"
  echo "$folder" >/tmp/node-folder
  exec chordchat-node run --data "$folder" --listen 0.0.0.0:7401 --seed node:7401 --health-port "$health_port"
}

# --- admission

has_cluster() { [[ -f /authority/cluster/cluster.json ]]; }

count_nodes() { complete_folders | grep -c . || true; }

# How many node containers there are: the addresses behind the service's name.
containers() { { getent ahostsv4 node || true; } | awk '{ print $1 }' | sort -u | wc -l; }

# Once they stop growing in number.
count_containers() {
  local seen=-1 now=0
  while ((now > seen)); do
    seen=$now
    sleep 3
    now=$(containers)
  done
  echo $((seen > 0 ? seen : 1))
}

# Commands of the cluster see one folder, as anywhere else; nodes see their part of it only.
lay_out() {
  mkdir -p /data/nodes
  [[ -L /authority/nodes ]] || ln -s /data/nodes /authority/nodes
  # A volume of an earlier version has the authority's key beside the nodes.
  if [[ -f /data/cluster/cluster.json ]]; then
    if ! has_cluster; then
      rm -rf /authority/cluster.new
      cp -a /data/cluster /authority/cluster.new
      sync
      mv /authority/cluster.new /authority/cluster
    fi
    rm -rf /data/cluster
    sync
  fi
}

# The lock keeps two containers from making two clusters.
init() { # number of founders ('' counts them), options of 'cluster init'
  local founders=$1
  exec 9>/authority/init.lock
  flock 9
  lay_out
  if ! has_cluster; then
    chordchat-node cluster init --data /authority --nodes "${founders:-$(count_containers)}" "${@:2}" >&2
  elif (($# > 1)); then
    echo 'the cluster exists already: options that are fixed when it is made were ignored' >&2
  fi
  publish
  exec 9>&-
}

# Their containers may then get new nodes: whoever calls it says how many containers there are to be.
forget_drained() {
  local gone
  for gone in $(drained_folders); do
    rm -f "$gone/runner"
  done
}

# What clients and the page need: the authority's certificate for all, the page's own key for the page alone.
publish() {
  chordchat-node cluster viewer --data /authority --out /page >/dev/null
  printf '{"nodes":[{"name":"node","address":"node:7401"}],"authority":"%s"}\n' \
    "$(grep -v -e '-----' /authority/cluster/authority.crt | tr -d '\n')" >/public/nodes.json.new
  mv /public/nodes.json.new /public/nodes.json
}

# Through whichever node answers. The token goes by a pipe: arguments can be read by everybody.
one_more() {
  local at token
  for at in $(cat /data/nodes/*/address </dev/null); do
    if token=$(chordchat-node cluster invite --data /authority --node "$at") \
      && chordchat-node cluster join --data /authority <<<"$token"; then return; fi
  done
}

# An identity only for a container that waits, and never more than there are containers.
admit() {
  init ''
  while true; do
    [[ -z $(find /page/viewer.crt -mtime +30) ]] || publish
    if [[ -n $(find /data/waiting -type f -newermt '-10 seconds' 2>/dev/null) ]] \
      && (($(containers) > $(count_nodes))); then one_more || true; fi
    sleep 2
  done
}

case ${1:-run} in
  run) run ;;
  init) init "${@:2}"; forget_drained; count_nodes ;;
  admit) admit ;;
  healthy) healthy ;;
  *) exec "$@" ;;
esac
