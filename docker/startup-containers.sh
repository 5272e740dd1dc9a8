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

# The name of the node that a container runs, or ran when it was last seen. Containers may say anything: what is no name
# would stand in the cluster file that clients read, and on the screen.
name_in() {
  local name
  name=$(docker exec "$1" sh -c 'basename "$(cat /tmp/node-folder)"' 2>/dev/null) \
    || name=$(awk -v of="$1" '$1 == of { name = $2 } END { print name }' "$home/run/containers" 2>/dev/null) \
    || name=''
  if [[ $name =~ ^[a-z][a-z0-9-]*$ ]]; then printf '%s\n' "$name"; else echo '-'; fi
}

remember_names() {
  local container
  for container in $(node_containers); do
    printf '%s %s\n' "$container" "$(name_in "$container")"
  done >"$home/run/containers.new"
  mv "$home/run/containers.new" "$home/run/containers"
}

published() { docker port "$1" 7401/tcp 2>/dev/null | head -1; }

# In words, why a container does not run; fails when it does.
why_down() {
  local state code memory
  read -r state code memory \
    < <(docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$1" 2>/dev/null) \
    || { echo 'its container is gone'; return; }
  case $state/$code in
    running/*) return 1 ;;
    restarting/*) echo "does not run; the engine keeps trying: $(last_words "$1")" ;;
    created/*) echo 'was never started' ;;
    paused/*) echo "is paused: docker unpause $1" ;;
    */0|*/143) echo 'stopped' ;;
    */137) if [[ $memory == true ]]; then echo 'stopped: it ran out of memory'; else echo 'stopped: it was killed'; fi ;;
    *) echo "stopped with exit code $code: $(last_words "$1")" ;;
  esac
}

# Whether the node ends by itself whenever the engine starts it again.
refuses_to_run() { [[ $(docker inspect -f '{{.State.Status}} {{.RestartCount}}' "$1") =~ ^restarting\ ([3-9]|..) ]]; }

# Whether a container waits because its node has gone for good.
is_drained() { docker exec "$1" test -f /tmp/drained 2>/dev/null; }

# In their place come others that may get a new node, if there are to be that many.
remove_drained() {
  local container
  for container in $(node_containers); do
    if is_drained "$container"; then docker rm -f "$container" >>"$home/run/compose.log"; fi
  done
}

# The engine waits longer and longer before it starts a node that ends by itself; the reason may be mended by now.
try_again_at_once() {
  local container
  for container in $(node_containers) $(service_container visualizer); do
    ! refuses_to_run "$container" || docker restart "$container" >>"$home/run/compose.log"
  done
}

last_words() { docker logs --tail 1 "$1" 2>&1; }

wait_ready() {
  local container why deadline=$((SECONDS + 120))
  for container in $(node_containers); do
    until why=$(docker exec "$container" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1); do
      ! refuses_to_run "$container" || die "$container does not run: $(last_words "$container")"
      ((SECONDS < deadline)) || die "$container is not ready after 120 s: ${why#not ready: } (docker logs $container)"
      sleep 0.3
    done
    say "  $(name_in "$container") ready at $(published "$container") ($container)"
  done
}

# Until it says that it listens, which it says anew each time it starts.
page_listens() {
  local since
  since=$(docker inspect -f '{{.State.StartedAt}}' "$1" 2>/dev/null) \
    && grep -q 'The ring is at' < <(docker logs --since "$since" "$1" 2>&1)
}

# A page that does not run is stopped: the engine would start it for ever, under a name that is perhaps no name.
wait_page() {
  local page deadline=$((SECONDS + 60))
  page=$(service_container visualizer)
  until page_listens "$page"; do
    if refuses_to_run "$page" || ((SECONDS >= deadline)); then
      say "the page does not run, so it is stopped: $(last_words "$page")" >&2
      docker stop "$page" >>"$home/run/compose.log" 2>&1 || true
      die "start again when that is mended; a wrong name with another --host-name"
    fi
    sleep 0.2
  done
}

service_container() { docker ps -a --filter "label=com.docker.compose.project=$project" \
  --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False \
  --format '{{.Names}}' | head -1; }

write_cluster_file() {
  local container authority first=1
  authority=$(docker exec "$(service_container admission)" cat /authority/cluster/authority.crt \
    | grep -v -e '-----' | tr -d '\n') \
    || die "the admission container does not answer: docker logs $(service_container admission)"
  {
    printf '{"nodes":['
    for container in $(node_containers); do
      [[ -n $first ]] || printf ','
      first=''
      printf '{"name":"%s","address":"%s"}' "$(name_in "$container")" "$(published "$container")"
    done
    printf '],"authority":"%s"}\n' "$authority"
  } >"$home/run/nodes.json.new"
  mv "$home/run/nodes.json.new" "$home/run/nodes.json"
}

make_demo_users() {
  local user trust missing=''
  trust=$(sed -n 's/.*"authority":"\([^"]*\)".*/\1/p' "$home/run/nodes.json" | base64 -d | sha256sum | cut -c1-32)
  say 'demo users a to h, password 1. WARNING: anybody can log in as them'
  for user in a b c d e f g h; do
    docker exec -e CHORDCHAT_PASSWORD=1 -e "CHORDCHAT_TRUST=$trust" "$client" sh -c \
      "[ -f ~/demo/$user.made ] || { { chordchat register $user --profile ~/demo/$user \
        || chordchat login $user --profile ~/demo/$user; } && touch ~/demo/$user.made; }" >/dev/null \
      || missing+=" $user"
  done
  [[ -z $missing ]] || die "these demo users were not made:$missing. The cluster runs; start with --demo again to try again." \
    "A cluster that was not made with --demo asks for real passwords"
}

# Founders are made before the nodes start, so that they need not guess how many of them there will be.
# Prints how many nodes the cluster has.
make_cluster() {
  compose run --rm -T --no-deps admission init "${nodes:-5}" ${replicas:+--replicas "$replicas"} ${demo:+--demo} \
    2>>"$home/run/compose.log" </dev/null | tail -1
}

# Compose puts them into the file; containers are made anew only when they have changed.
use_ports() {
  choose_ports
  export CHORDCHAT_PORTS="$port-$((port + 63))" CHORDCHAT_PAGE_PORT=$page_port
}

# Ports of this machine that containers of this cluster have.
own_ports() { docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Ports}}' \
  | tr ',' '\n' | sed -n 's/.*:\([0-9]*\)->.*/\1/p'; }

# Nodes take whichever ports of theirs are free, so only too few are a reason to say no.
check_ports() {
  local want=${nodes:-$(node_containers | grep -c . || true)} at own free=0 taken=() page=()
  ((want > 0)) || want=5
  ((port + 63 <= 65535)) || die "--port $port is too high: containers use it and the 63 after it"
  ((page_port < port || page_port > port + 63)) || die "the page's port $page_port is one of the nodes'" \
    "($port to $((port + 63))); choose another with --page-port"
  own=" $(own_ports | xargs) "
  for ((at = port; at < port + 64; at++)); do
    if [[ $own == *" $at "* ]] || ! port_taken "$at"; then free=$((free + 1)); else taken+=("$at"); fi
  done
  ((free < want)) || taken=()
  if [[ $own != *" $page_port "* ]] && port_taken "$page_port"; then page=("$page_port"); fi
  ((${#taken[@]} + ${#page[@]} == 0)) || refuse_ports 64 ${taken[@]+"${taken[@]}"} - ${page[@]+"${page[@]}"}
}

# A container that was made anew from a newer image has another id, and the same name.
running_names() { docker ps --format '{{.Names}}' --filter "label=com.docker.compose.project=$project"; }

# Nobody else starts anything meanwhile: see one_at_a_time.
ran_before='' waits_for_nodes=''
undo_failed_start() {
  local code=$? name
  ((code != 0)) || return 0
  # Nodes that run but are not ready are left to an operator; an interrupted start leaves nothing.
  [[ -z $waits_for_nodes ]] || ((code > 128)) || return 0
  for name in $(running_names); do
    [[ $ran_before == *$'\n'"$name"$'\n'* ]] || docker stop "$name" >/dev/null 2>&1 || true
  done
  say 'everything that this start had started is stopped again' >&2
}

cluster_start() {
  local have want
  engine_answers || die "no Docker engine answers; start it, or use --local"
  umask 077
  mkdir -p "$home/run"
  one_at_a_time
  : >"$home/run/compose.log"
  use_ports
  check_ports
  say 'building images (once, until a source changes) ...'
  quietly build
  ran_before=$'\n'$(running_names)$'\n'
  trap undo_failed_start EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  remove_drained # Before their folders are forgotten.
  have=$(make_cluster) || have=''
  [[ $have =~ ^[1-9][0-9]*$ ]] || { tail -5 "$home/run/compose.log" >&2; die "the cluster could not be made"; }
  want=${nodes:-$have}
  ((want >= have)) || { say "(this cluster has $have nodes; it is not made smaller)"; want=$have; }
  quietly up -d --scale "node=$want"
  try_again_at_once
  wait_page
  keep mode containers
  keep port "$port"
  keep visualizer.port "$page_port"
  keep host-names "$host_names"
  waits_for_nodes=1
  wait_ready
  waits_for_nodes=''
  remember_names
  write_cluster_file
  trap - EXIT
  say ''
  say "look at the ring:  http://localhost:$page_port"
  say "chat:              ${as_here}./chordchat"
  say "stop:              ${as_here}./startup.sh stop"
  [[ -z $demo ]] || make_demo_users
}

require_engine() {
  engine_answers || die "the Docker engine does not answer, so nothing can be said of its containers; start it first"
}

# What a node container is like, in words; fails unless it is ready.
state_of() {
  local why code=0
  if why_down "$1"; then return 1; fi
  if is_drained "$1"; then echo 'runs no node: its node was drained'; return; fi
  why=$(docker exec "$1" sh -c 'chordchat-node ready --data "$(cat /tmp/node-folder)"' 2>&1) || code=$?
  case $code in
    0) echo ready ;;
    10) head -1 <<<"$why"; return 1 ;;
    *) why_down "$1" || echo 'not ready: it has not taken a node yet, or is about to stop'; return 1 ;;
  esac
}

cluster_status() {
  local container service state code=0
  require_engine
  [[ -n $(node_containers) ]] || die "no cluster here yet; ${as_here}./startup.sh makes one"
  for container in $(node_containers); do
    state=$(state_of "$container") || code=1
    printf '%-4s %-21s %-20s %s\n' "$(name_in "$container")" "$(published "$container" || true)" "$container" "$state"
  done
  for service in visualizer admission; do
    container=$(service_container "$service")
    if [[ -z $container ]]; then
      state="has no container; ${as_here}./startup.sh makes it"
    elif ! state=$(why_down "$container"); then
      continue
    fi
    printf '%-26s %-20s %s\n' '' "${container:-$service}" "$state"
    code=1
  done
  return "$code"
}

cluster_logs() {
  local container
  require_engine
  [[ -z $log_node ]] && { compose logs -f --tail 20; return; }
  for container in $(node_containers); do
    if [[ $(name_in "$container") == "$log_node" || $container == "$log_node" ]]; then
      exec docker logs -f --tail 100 "$container"
    fi
  done
  die "no container runs '$log_node'"
}

cluster_stop() {
  require_engine
  # They may have been started by Compose alone.
  [[ -d $home/run || -n $(node_containers) ]] || die "no cluster here yet; ${as_here}./startup.sh makes one"
  umask 077
  mkdir -p "$home/run"
  one_at_a_time
  use_ports
  : >"$home/run/compose.log"
  quietly stop
  say "stopped; data stays in the volume ${project}_data"
}
