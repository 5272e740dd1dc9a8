#!/bin/sh
# A node container: takes one identity of the shared /data volume that no other container runs, and runs it.
# A container is only a runner; the node is its folder, so any container can bring back any node.
set -eu
umask 077

if [ "${1:-run}" = healthy ]; then
  exec chordchat-node ready --alive --data "$(cat /tmp/node-folder)"
fi

# How many node containers there are: the addresses behind the service's name, once they stop growing in number.
count_containers() {
  seen=0 now=$(getent ahostsv4 node | awk '{ print $1 }' | sort -u | wc -l)
  while [ "$now" -gt "$seen" ]; do
    seen=$now
    sleep 2
    now=$(getent ahostsv4 node | awk '{ print $1 }' | sort -u | wc -l)
  done
  [ "$seen" -gt 0 ] && echo "$seen" || echo 1
}

# The first container makes the cluster; the lock keeps two from making two.
(
  flock 9
  [ -d /data/cluster ] || chordchat-node cluster init --data /data --nodes "${CHORDCHAT_FOUNDERS:-$(count_containers)}" \
    ${CHORDCHAT_REPLICAS:+--replicas "$CHORDCHAT_REPLICAS"} ${CHORDCHAT_DEMO:+--demo}
) 9>/data/init.lock

run() { # folder, with its lock held on descriptor 8: the node inherits it and holds it while it lives
  echo "$1" >/tmp/node-folder
  exec chordchat-node run --data "$1" --listen 0.0.0.0:7401 --advertise "$(hostname -i | cut -d' ' -f1):7401"
}

for folder in $(ls -d /data/nodes/* | sort -V); do
  exec 8>"$folder/container.lock"
  if flock -n 8; then run "$folder"; fi
done

# More containers than identities: this one joins, as the next name, through whichever node answers first.
exec 7>/data/join.lock
flock 7
until token=$(chordchat-node cluster invite --data /data --node node:7401); do sleep 2; done
before=$(ls /data/nodes)
chordchat-node cluster join "$token" --data /data
for name in $(ls /data/nodes); do
  case " $(echo $before) " in *" $name "*) ;; *) folder=/data/nodes/$name ;; esac
done
exec 8>"$folder/container.lock"
flock 8
exec 7>&-
run "$folder"
