# shellcheck shell=bash disable=SC2154
# Nodes as containers. Sourced by startup.sh; each cluster_* function is one of its commands.

source "$here/docker/startup-ports.sh"

project=${COMPOSE_PROJECT_NAME:-chordchat}
client=${CHORDCHAT_CLIENT:-client1}

compose() {
  local tool=(docker compose)
  docker compose version >/dev/null 2>&1 || tool=(docker-compose)
  command -v "${tool[0]}" >/dev/null \
    || die "neither 'docker compose' nor 'docker-compose' is there; install one, or use --local"
  "${tool[@]}" -p "$project" -f "$here/docker/compose.yaml" "$@"
}

# compose, with its output kept and shown only when it fails.
quietly() {
  compose "$@" >>"$home/run/compose.log" 2>&1 \
    || { tail -20 "$home/run/compose.log" >&2; die "compose failed; its whole output is in $home/run/compose.log"; }
}

node_containers() { docker ps -a --filter "label=com.docker.compose.project=$project" \
  --filter label=com.docker.compose.service=node --filter label=com.docker.compose.oneoff=False \
  --format '{{.Names}}' | sort -V; }

name_in() { docker exec "$1" sh -c 'basename "$(cat /tmp/node-folder)"' 2>/dev/null || echo '?'; }
published() { docker port "$1" 7401/tcp 2>/dev/null | head -1; }

# Whether the node ends by itself whenever the engine starts it again.
refuses_to_run() { [[ $(docker inspect -f '{{.State.Status}} {{.RestartCount}}' "$1") =~ ^restarting\ ([3-9]|..) ]]; }

# The engine waits longer and longer before it starts a node that ends by itself; the reason may be mended by now.
try_again_at_once() {
  local container
  for container in $(node_containers); do
    ! refuses_to_run "$container" || docker restart "$container" >>"$home/run/compose.log"
  done
}

last_words() { docker logs --tail 1 "$1" 2>&1; }

wait_ready() {
  local container why deadline=$((SECONDS + 120))
  for container in $(node_containers); do
    until why=$(docker exec "$container" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1); do
      ! refuses_to_run "$container" || die "$container does not run: $(last_words "$container")"
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
    printf '],"authority":"%s"}\n' \
      "$(docker exec "$container" cat /data/cluster/authority.crt | grep -v -e '-----' | tr -d '\n')"
  } >"$home/run/nodes.json.new"
  mv "$home/run/nodes.json.new" "$home/run/nodes.json"
}

make_demo_users() {
  local user
  say 'making demo users a to h, password 1. WARNING: anybody can log in as them'
  for user in a b c d e f g h; do
    docker exec -e CHORDCHAT_PASSWORD=1 "$client" sh -c \
      "[ -d ~/demo/$user ] || chordchat register $user --profile ~/demo/$user" >/dev/null \
      || say "  ($user was not made)"
  done
}

# Founders are made before the nodes start, so that they need not guess how many of them there will be.
# Prints how many nodes the cluster has.
make_cluster() {
  compose run --rm -T --no-deps node init "${nodes:-5}" ${replicas:+--replicas "$replicas"} ${demo:+--demo} \
    2>>"$home/run/compose.log" </dev/null | tail -1
}

remember_ports() {
  choose_ports
  export CHORDCHAT_PORTS="$port-$((port + 63))" CHORDCHAT_PAGE_PORT=$page_port
}

cluster_start() {
  local have want
  engine_answers || die "no Docker engine answers; start it, or use --local"
  umask 077
  mkdir -p "$home/run"
  : >"$home/run/compose.log"
  remember_ports
  say 'building images (once, until a source changes) ...'
  quietly build
  have=$(make_cluster) || have=''
  [[ $have =~ ^[1-9][0-9]*$ ]] || { tail -5 "$home/run/compose.log" >&2; die "the cluster could not be made"; }
  want=${nodes:-$have}
  ((want >= have)) || { say "(this cluster has $have nodes; it is not made smaller)"; want=$have; }
  echo containers >"$mode_file"
  echo "$port" >"$home/run/port"
  echo "$page_port" >"$home/run/visualizer.port"
  quietly up -d --scale "node=$want"
  try_again_at_once
  wait_ready
  write_cluster_file
  [[ -z $demo ]] || make_demo_users
  say ''
  say "look at the ring:  http://localhost:$page_port"
  say "chat:              docker exec -it $client chordchat"
  say 'stop:              ./startup.sh stop'
}

cluster_status() {
  local container why state
  [[ -n $(node_containers) ]] || die "no cluster here yet; ./startup.sh makes one"
  for container in $(node_containers); do
    if why=$(docker exec "$container" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1); then
      state=ready
    elif refuses_to_run "$container"; then
      state="does not run: $(last_words "$container")"
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
  remember_ports
  : >"$home/run/compose.log"
  quietly stop
  say "stopped; data stays in the volume ${project}_data"
}
