# shellcheck shell=bash disable=SC2154
# Nodes as plain processes. Sourced by startup.sh; each cluster_* function is one of its commands.

node_program=$built/chordchat-node
page_program=$built/chordchat-visualizer
client_program=$built/chordchat

node_names() { if [[ -d $home/nodes ]]; then ls "$home/nodes" | sort -V; fi; }
pid_of() { cat "$home/run/$1.pid" 2>/dev/null || true; }

# A pid file may outlive its process, and its number may be somebody else's by now.
# Not a process that is dead and only waits for its parent to notice.
runs() {
  local pid; pid=$(pid_of "$1")
  [[ -n $pid ]] && ps -o stat= -o args= -p "$pid" 2>/dev/null | grep -q '^[^Z].*chordchat'
}

address_of() { cat "$home/nodes/$1/address" 2>/dev/null || true; }

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

is_built() {
  [[ -f $built/.stamp && -z $(find "$here/src" "$here/protos" "$here"/*.props "$here/global.json" -type f \
    -not -path '*/bin/*' -not -path '*/obj/*' -newer "$built/.stamp" -print -quit) ]]
}

build_all() {
  local project
  command -v dotnet >/dev/null \
    || die "the .NET SDK 10 is missing: install it from https://dotnet.microsoft.com/download, or a Docker engine"
  [[ $(cd "$here" && dotnet --version 2>/dev/null) == 10.* ]] \
    || die "the .NET SDK 10 is needed: install it from https://dotnet.microsoft.com/download"
  is_built && return
  say 'building (once, until a source changes) ...'
  for project in Node Client Visualizer; do
    dotnet publish "$here/src/$project" -c Release -o "$built" -nologo -v q >"$home/run/build.log" 2>&1 \
      || { tail -20 "$home/run/build.log" >&2; die "the build failed; the whole output is in $home/run/build.log"; }
  done
  touch "$built/.stamp"
}

# One at a time in this folder, where flock is known; whoever waited finds it built.
build_in_turn() {
  mkdir -p "$built"
  {
    ! command -v flock >/dev/null || flock 9
    build_all 9>&- # Servers that the build leaves behind must not keep the lock.
  } 9>"$built/.lock"
}

make_cluster() {
  if [[ -d $home/cluster ]]; then
    [[ -z $replicas ]] || say "(--replicas was fixed when the cluster was made; it is not changed)"
    return
  fi
  "$node_program" cluster init --data "$home" --nodes "${nodes:-5}" ${replicas:+--replicas "$replicas"} ${demo:+--demo} \
    >"$home/run/init.log" || die "the cluster could not be made"
  head -1 "$home/run/init.log"
}

# Nodes beyond those that the cluster has, joined through one that runs.
join_more() {
  local token
  while [[ -n $nodes ]] && (($(node_names | wc -l) < nodes)); do
    token=$("$node_program" cluster invite --data "$home" 2>>"$home/run/init.log") || die "no invitation: see $home/run/init.log"
    "$node_program" cluster join "$token" --data "$home" >>"$home/run/init.log" || die "a node could not join: see $home/run/init.log"
  done
}

start_node() {
  local name=$1 at=$2 host=127.0.0.1
  runs "$name" && return
  port_taken "$at" && die "port $at is in use by another program: stop that, or choose others with --port P"
  [[ -n $lan ]] && host=0.0.0.0
  nohup "$node_program" run --data "$home/nodes/$name" --listen "$host:$at" \
    >>"$home/run/$name.log" 2>&1 </dev/null &
  echo $! >"$home/run/$name.pid"
}

write_cluster_file() {
  local name at=$port first=1
  {
    printf '{"nodes":['
    for name in $(node_names); do
      [[ -n $first ]] || printf ','
      first=''
      printf '{"name":"%s","address":"127.0.0.1:%s"}' "$name" "$at"
      at=$((at + 1))
    done
    printf '],"authority":"%s"}\n' "$(grep -v -e '-----' "$home/cluster/authority.crt" | tr -d '\n')"
  } >"$home/run/nodes.json.new"
  mv "$home/run/nodes.json.new" "$home/run/nodes.json"
}

ready=' ' # names of the nodes that have been seen ready in this run
wait_ready() {
  local name other why deadline=$((SECONDS + 60))
  for name in "$@"; do
    [[ $ready == *" $name "* ]] && continue
    until why=$("$node_program" ready --data "$home/nodes/$name" 2>&1); do
      for other in "$@"; do
        runs "$other" || { tail -5 "$home/run/$other.log" >&2; die "$other stopped; its log is $home/run/$other.log"; }
      done
      ((SECONDS < deadline)) || die "$name is not ready after 60 s: $why (log: $home/run/$name.log)"
      sleep 0.2
    done
    ready+="$name "
    say "  $name ready at $(address_of "$name")"
  done
}

start_page() {
  runs visualizer && return
  port_taken "$page_port" && die "port $page_port is in use by another program: stop that, or use --page-port P"
  CHORDCHAT_CLUSTER=$home/run/nodes.json nohup "$page_program" --port "$page_port" \
    >>"$home/run/visualizer.log" 2>&1 </dev/null &
  echo $! >"$home/run/visualizer.pid"
  echo "$page_port" >"$home/run/visualizer.port"
}

make_demo_users() {
  local user
  say 'making demo users a to h, password 1. WARNING: anybody can log in as them'
  for user in a b c d e f g h; do
    [[ -d $home/demo/$user ]] && continue
    CHORDCHAT_PASSWORD=1 CHORDCHAT_CLUSTER=$home/run/nodes.json \
      "$client_program" register "$user" --profile "$home/demo/$user" >/dev/null || say "  ($user was not made)"
  done
}

start_nodes() {
  local name at=$port
  write_cluster_file
  for name in $(node_names); do
    start_node "$name" "$at"
    at=$((at + 1))
  done
  # shellcheck disable=SC2046
  wait_ready $(node_names)
}

cluster_start() {
  umask 077
  mkdir -p "$home/run"
  build_in_turn
  make_cluster
  echo local >"$mode_file"
  [[ -f $home/run/port ]] && port=$(cat "$home/run/port")
  echo "$port" >"$home/run/port"
  start_nodes
  if [[ -n $nodes ]] && (($(node_names | wc -l) < nodes)); then
    join_more
    start_nodes
  fi
  start_page
  [[ -z $demo ]] || make_demo_users
  say ''
  say "look at the ring:  http://localhost:$(cat "$home/run/visualizer.port")"
  say "chat:              ./chordchat"
  say "stop:              ./startup.sh stop"
}

cluster_status() {
  local name why
  [[ -d $home/nodes ]] || die "no cluster here yet; ./startup.sh makes one"
  for name in $(node_names); do
    if ! runs "$name"; then
      printf '%-4s %-21s %-12s stopped\n' "$name" "$(address_of "$name")" '-'
    elif why=$("$node_program" ready --data "$home/nodes/$name" 2>&1); then
      printf '%-4s %-21s pid %-8s ready\n' "$name" "$(address_of "$name")" "$(pid_of "$name")"
    else
      printf '%-4s %-21s pid %-8s not ready: %s\n' "$name" "$(address_of "$name")" "$(pid_of "$name")" "$why"
    fi
  done
  if runs visualizer; then
    printf 'page http://localhost:%s pid %s\n' "$(cat "$home/run/visualizer.port")" "$(pid_of visualizer)"
  fi
}

cluster_logs() {
  if [[ -n $log_node ]]; then
    [[ -f $home/run/$log_node.log ]] || die "no log of '$log_node'; nodes are: $(node_names | xargs)"
    exec tail -n 100 -F "$home/run/$log_node.log"
  fi
  exec tail -n 20 -F "$home"/run/*.log
}

cluster_stop() {
  local name
  for name in visualizer $(node_names); do
    if runs "$name"; then kill -TERM "$(pid_of "$name")" 2>/dev/null || true; fi
  done
  for name in visualizer $(node_names); do
    for _ in $(seq 100); do
      runs "$name" || break
      sleep 0.1
    done
    if runs "$name"; then kill -KILL "$(pid_of "$name")" 2>/dev/null || true; fi
    rm -f "$home/run/$name.pid"
  done
  say "stopped; data stays in $home"
}
