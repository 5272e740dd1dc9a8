# shellcheck shell=bash disable=SC2154
# Nodes as containers. Sourced by startup.sh; each cluster_* function is one of its commands.

compose() {
  local tool=(docker compose)
  docker compose version >/dev/null 2>&1 || tool=(docker-compose)
  command -v "${tool[0]}" >/dev/null || die "neither 'docker compose' nor 'docker-compose' is there; install one, or use --local"
  "${tool[@]}" -p chordchat -f "$here/docker/compose.yaml" "$@"
}

node_containers() { docker ps -a --filter label=com.docker.compose.project=chordchat \
  --filter label=com.docker.compose.service=node --format '{{.Names}}' | sort -V; }

name_in() { docker exec "$1" sh -c 'basename "$(cat /tmp/node-folder)"' 2>/dev/null || echo '?'; }
published() { docker port "$1" 7401/tcp 2>/dev/null | head -1; }

wait_ready() {
  local container why deadline=$((SECONDS + 120))
  for container in $(node_containers); do
    until why=$(docker exec "$container" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1); do
      ((SECONDS < deadline)) || die "$container is not ready after 120 s: $why (docker logs $container)"
      sleep 0.3
    done
    say "  $(name_in "$container") ready at $(published "$container") ($container)"
  done
}

write_cluster_file() {
  local container first=1
  {
    printf '{"nodes":['
    for container in $(node_containers); do
      [[ -n $first ]] || printf ','
      first=''
      printf '{"name":"%s","address":"%s"}' "$(name_in "$container")" "$(published "$container")"
    done
    container=$(node_containers | head -1)
    printf '],"authority":"%s"}\n' "$(docker exec "$container" cat /data/cluster/authority.crt | grep -v -e '-----' | tr -d '\n')"
  } >"$home/run/nodes.json.new"
  mv "$home/run/nodes.json.new" "$home/run/nodes.json"
}

make_demo_users() {
  local user
  say 'making demo users a to h, password 1. WARNING: anybody can log in as them'
  for user in a b c d e f g h; do
    docker exec -e CHORDCHAT_PASSWORD=1 client1 sh -c \
      "[ -d /home/chordchat/demo/$user ] || chordchat register $user --profile /home/chordchat/demo/$user" >/dev/null \
      || say "  ($user was not made)"
  done
}

cluster_start() {
  local have want
  engine_answers || die "no Docker engine answers; start it, or use --local"
  umask 077
  mkdir -p "$home/run"
  have=$(node_containers | wc -l)
  want=${nodes:-$((have > 0 ? have : 5))}
  ((want >= have)) || { say "(this cluster has $have nodes; it is not made smaller)"; want=$have; }
  say "building images and starting $want nodes ..."
  CHORDCHAT_FOUNDERS=$want CHORDCHAT_REPLICAS=$replicas CHORDCHAT_DEMO=$demo \
    compose up -d --build --scale "node=$want" >"$home/run/compose.log" 2>&1 \
    || { tail -20 "$home/run/compose.log" >&2; die "compose failed; its whole output is in $home/run/compose.log"; }
  echo containers >"$mode_file"
  wait_ready
  write_cluster_file
  [[ -z $demo ]] || make_demo_users
  say ''
  say 'look at the ring:  http://localhost:7480'
  say 'chat:              docker exec -it client1 chordchat'
  say 'stop:              ./startup.sh stop'
}

cluster_status() {
  local container why state
  [[ -n $(node_containers) ]] || die "no cluster here yet; ./startup.sh makes one"
  for container in $(node_containers); do
    if why=$(docker exec "$container" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1); then
      state=ready
    else
      state="not ready: $(head -1 <<<"$why")"
    fi
    printf '%-4s %-21s %-20s %s\n' "$(name_in "$container")" "$(published "$container")" "$container" "$state"
  done
}

cluster_logs() {
  local container
  [[ -z $log_node ]] && { compose logs -f --tail 20; return; }
  for container in $(node_containers); do
    if [[ $(name_in "$container") == "$log_node" || $container == "$log_node" ]]; then
      exec docker logs -f --tail 100 "$container"
    fi
  done
  die "no container runs '$log_node'"
}

cluster_stop() {
  compose stop >"$home/run/compose.log" 2>&1 || { tail -5 "$home/run/compose.log" >&2; die "compose could not stop it"; }
  say "stopped; data stays in the volume chordchat_data ('docker volume rm chordchat_data' deletes it)"
}
