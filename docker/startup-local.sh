# shellcheck shell=bash disable=SC2154
# Nodes as plain processes. Sourced by startup.sh; each cluster_* function is one of its commands.

node_program=$built/chordchat-node
page_program=$built/chordchat-visualizer
client_program=$built/chordchat

source "$here/docker/startup-processes.sh"
source "$here/docker/startup-ports.sh"

# A whole folder of this cluster, under a name that was given out: not what an interrupted join left, nor a copy, which
# would be the same node twice. cluster.json is written last.
is_node() {
  [[ $1 =~ ^[a-z][a-z0-9-]*$ ]] && cmp -s "$home/cluster/cluster.json" "$home/nodes/$1/cluster.json" \
    && { grep -qF "\"name\": \"$1\"" "$home/cluster/cluster.json" || grep -q "^$1 " "$home/cluster/issued" 2>/dev/null; }
}

folder_names() { if [[ -d $home/nodes ]]; then ls "$home/nodes" | sort -V; fi; }
node_names() { local name; folder_names | while IFS= read -r name; do if is_node "$name"; then echo "$name"; fi; done; }

# Fails when there is nothing to say.
say_passed_over() {
  local name list=''
  while IFS= read -r name; do
    [[ ! -d $home/nodes/$name ]] || is_node "$name" || printf -v list '%s %q' "$list" "$name"
  done < <(folder_names)
  [[ -n $list ]] && say "  passed over in $home/nodes:$list. Not complete, or not of this cluster: if a disk is missing, bring it" \
    "back; if a join was interrupted, or for a copy, move the folder away"
}

address_of() { cat "$home/nodes/$1/address" 2>/dev/null || true; }

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
  say 'building (once, until a source changes; some minutes on a slow machine) ...'
  for project in Node Client Visualizer; do
    say "  $project"
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
    build_all 8>&- 9>&- # Servers that the build leaves behind must not keep the locks.
  } 9>"$built/.lock"
}

make_cluster() {
  if [[ -f $home/cluster/cluster.json ]]; then # Written last: what a killed start left half made is made anew.
    [[ -z $replicas ]] || say "(--replicas was fixed when the cluster was made; it is not changed)"
    [[ -z $nodes ]] || (($(node_names | wc -l) <= nodes)) \
      || say "(this cluster has $(node_names | wc -l) nodes; it is not made smaller)"
    return
  fi
  "$node_program" cluster init --data "$home" --nodes "${nodes:-5}" ${replicas:+--replicas "$replicas"} ${demo:+--demo} \
    >"$home/run/init.log" || die "the cluster could not be made"
  head -1 "$home/run/init.log"
}

# Nodes beyond those that the cluster has, joined through one that runs. Nodes run by now: when another one cannot
# join, that is no reason to stop them.
join_more() {
  local token said
  save_ports
  started=()
  while [[ -n $nodes ]] && (($(node_names | wc -l) < nodes)); do
    token=$("$node_program" cluster invite --data "$home" 2>>"$home/run/init.log") \
      || die "no invitation: see $home/run/init.log"
    # Not as an argument: everybody on this machine can read those.
    said=$("$node_program" cluster join --data "$home" <<<"$token" 2>&1 >>"$home/run/init.log") \
      || die "a node could not join: ${said:-see $home/run/init.log}"
    [[ -z $said ]] || say "  $said"
  done
}

# Which port each node has, counted from --port: a line "NAME NUMBER" each. It is remembered in run/places, so a name
# has the same port at every start, whichever other folders come and go.
places=''
place_of() { awk -v name="$1" '$1 == name { print $2; exit }' <<<"$places"; }
port_of() { echo $((port + $(place_of "$1"))); }

# The next COUNT numbers that no name has.
free_places() { awk -v count="$1" '{ taken[$2] = 1 } END { for (; count > 0; at++) if (!(at + 0 in taken)) {
  print at + 0; count-- } }' <<<"$places"; }

is_free_place() { awk -v at="$1" '$2 == at { taken = 1 } END { exit taken }' <<<"$places"; }

give_place() { places+=${places:+$'\n'}"$1 $2"; }

# Names without a place get one: where they answered last, which is how it was before there were places, else the next.
place_nodes() {
  local name at before base
  places=$(saved places)
  before=$places
  base=$(saved port)
  for name in $(node_names); do
    at=$(address_of "$name")
    at=${at##*:}
    if [[ -z $(place_of "$name") && $base =~ ^[0-9]+$ && $at =~ ^[0-9]+$ ]] && ((at >= base && at < base + 64)) \
      && is_free_place $((at - base)); then give_place "$name" $((at - base)); fi
  done
  for name in $(node_names); do
    [[ -n $(place_of "$name") ]] || give_place "$name" "$(free_places 1)"
  done
  [[ $places == "$before" ]] || keep places "$places"
}

# Node ports that somebody else has go to taken; ends the start when a node runs at another port than it should.
check_ports() {
  local name names at more all=() taken=() page=() last=$port
  place_nodes
  names=$(node_names)
  for name in $names; do
    at=$(port_of "$name")
    all+=("$at")
    if runs "$name"; then
      [[ $(address_of "$name") == *:"$at" ]] \
        || die "$name runs at $(address_of "$name"), and port $at was asked for." \
        "Type ${as_here}./startup.sh stop, then start again with --port $port"
    elif port_taken "$at"; then
      taken+=("$at")
    fi
  done
  more=$((${nodes:-$([[ -n $names ]] || echo 5)} - ${#all[@]}))
  for at in $(free_places "$more"); do
    at=$((port + at))
    all+=("$at")
    if port_taken "$at"; then taken+=("$at"); fi
  done
  for at in "${all[@]}"; do
    ((at <= last)) || last=$at
  done
  ((last <= 65535)) || die "--port $port is too high for ${#all[@]} nodes: the last port is 65535"
  [[ " ${all[*]} " != *" $page_port "* ]] || die "the page's port $page_port is one of the nodes' ($port to $last);" \
    "choose another with --page-port"
  if { ! runs visualizer || [[ $(saved visualizer.port) != "$page_port" ]]; } && port_taken "$page_port"; then
    page=("$page_port")
  fi
  ((${#taken[@]} + ${#page[@]} == 0)) \
    || refuse_ports $((last - port + 1)) ${taken[@]+"${taken[@]}"} - ${page[@]+"${page[@]}"}
}

start_node() {
  local name=$1 at=$2 host=127.0.0.1
  if runs "$name" || [[ $refused == *" $name "* ]]; then return; fi
  if [[ -n $lan ]]; then host=0.0.0.0; fi
  nohup "$node_program" run --data "$home/nodes/$name" --listen "$host:$at" \
    >>"$home/run/$name.log" 2>&1 </dev/null 8>&- &
  remember "$name" $!
}

write_cluster_file() {
  local name authority first=1
  # Without it, whoever reads the file would trust the first node that answers.
  authority=$(grep -v -e '-----' "$home/cluster/authority.crt" | tr -d '\n') && [[ -n $authority ]] \
    || die "$home/cluster/authority.crt has no certificate; put the file back from a backup"
  {
    printf '{"nodes":['
    for name in $(node_names); do
      [[ -n $first ]] || printf ','
      first=''
      printf '{"name":"%s","address":"127.0.0.1:%s"}' "$name" "$(port_of "$name")"
    done
    printf '],"authority":"%s"}\n' "$authority"
  } >"$home/run/nodes.json.new"
  mv "$home/run/nodes.json.new" "$home/run/nodes.json"
}

# A node whose own folder or disk is at fault does not take the others down: any node may be missing.
# Its exit code says so; docs/operations.md lists them.
has_refused() {
  local pid code=0
  pid=$(pid_of "$1")
  wait "$pid" 2>/dev/null || code=$?
  [[ ' 3 4 5 6 7 9 13 14 15 ' == *" $code "* ]]
}

ready=' '   # names of the nodes that have been seen ready in this run
refused=' ' # names of those that do not run because of what is in their folder
wait_ready() {
  local name other why deadline=$((SECONDS + 60))
  for name in "$@"; do
    [[ $ready$refused == *" $name "* ]] && continue
    until why=$("$node_program" ready --data "$home/nodes/$name" 2>&1); do
      for other in "$@"; do
        [[ $refused == *" $other "* ]] || runs "$other" || note_end_of "$other"
      done
      [[ $refused == *" $name "* ]] && continue 2
      if ((SECONDS >= deadline)); then
        save_ports # All nodes run: they are left to an operator, who may have to help them.
        started=()
        die "$name is not ready after 60 s: ${why#not ready: } (log: $home/run/$name.log). The nodes run on: see ${as_here}./startup.sh status"
      fi
      sleep 0.2
    done
    ready+="$name "
    say "  $name ready at $(address_of "$name")"
  done
}

note_end_of() {
  if has_refused "$1"; then
    say "  $1 does not run: $(tail -1 "$home/run/$1.log")"
    refused+="$1 "
    return
  fi
  tail -5 "$home/run/$1.log" >&2
  die "$1 stopped; its log is $home/run/$1.log"
}

# Whether the page says, behind so many bytes of its log, that it listens: a stranger's listener at its port says nothing.
page_listens() { grep -q 'The ring is at' < <(tail -c "+$(($1 + 1))" "$home/run/visualizer.log") && runs visualizer; }

# Elsewhere than before only when that was asked for.
start_page() {
  local logged deadline=$((SECONDS + 60)) options=()
  if runs visualizer; then
    [[ $(saved visualizer.port) == "$page_port" && $(saved host-names) == "$host_names" ]] && return
    stop_these visualizer
  fi
  # Nodes tell names of people only to an operator's page. Renewed at each start of the page.
  "$node_program" cluster viewer --data "$home" --out "$home/run/page" >/dev/null \
    || say "(the page shows numbers only, no names: no certificate could be made for it)"
  [[ ! -f $home/run/page/viewer.key ]] || options=(--viewer "$home/run/page")
  touch "$home/run/visualizer.log"
  logged=$(wc -c <"$home/run/visualizer.log")
  CHORDCHAT_CLUSTER=$home/run/nodes.json nohup "$page_program" --port "$page_port" ${options[@]+"${options[@]}"} \
    >>"$home/run/visualizer.log" 2>&1 </dev/null 8>&- &
  remember visualizer $!
  until page_listens "$logged"; do
    if ! runs visualizer; then
      tail -5 "$home/run/visualizer.log" >&2
      die "the page stopped; its log is $home/run/visualizer.log"
    fi
    ((SECONDS < deadline)) || die "the page does not answer after 60 s; its log is $home/run/visualizer.log"
    sleep 0.1
  done
}

# Only what has worked is kept for the next start.
save_ports() {
  write_cluster_file
  keep port "$port"
  keep lan "$lan"
}

# Short passwords are a property of the whole cluster, fixed when it is made.
check_demo() {
  [[ -z $demo || ! -f $home/cluster/cluster.json ]] || grep -q '"demo": *true' "$home/cluster/cluster.json" \
    || die "the cluster in $home was not made with --demo, and it asks for real passwords. To try a demo beside it:" \
      "CHORDCHAT_HOME=$home-demo ./startup.sh --demo --port 7501 --page-port 7580"
}

as_demo_user() {
  CHORDCHAT_PASSWORD=1 CHORDCHAT_CLUSTER=$home/run/nodes.json \
    "$client_program" "$1" "$2" --profile "$home/demo/$2" 2>&1 >/dev/null
}

make_demo_users() {
  local user why missing=''
  say 'demo users a to h, password 1. WARNING: anybody can log in as them'
  for user in a b c d e f g h; do
    [[ -f $home/demo/$user.made ]] && continue
    if why=$(as_demo_user register "$user") || as_demo_user login "$user" >/dev/null; then
      touch "$home/demo/$user.made"
    else
      say "  $why"
      missing+=" $user"
    fi
  done
  [[ -z $missing ]] || die "these demo users were not made:$missing. The cluster runs; start with --demo again to try again"
}

start_nodes() {
  local name
  place_nodes
  for name in $(node_names); do
    start_node "$name" "$(port_of "$name")"
  done
  # shellcheck disable=SC2046
  wait_ready $(node_names)
}

cluster_start() {
  umask 077
  mkdir -p "$home/run"
  one_at_a_time
  trap undo_failed_start EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  check_demo
  choose_ports
  check_ports
  build_in_turn
  check_ports # Building takes minutes the first time.
  make_cluster
  say_passed_over || true
  keep mode local
  start_nodes
  if [[ -n $nodes ]] && (($(node_names | wc -l) < nodes)); then
    join_more
    start_nodes
  fi
  save_ports
  start_page
  keep visualizer.port "$page_port"
  keep host-names "$host_names"
  started=()
  say ''
  say "look at the ring:  http://localhost:$page_port"
  say "chat:              ${as_here}./chordchat"
  say "stop:              ${as_here}./startup.sh stop"
  [[ -z $demo ]] || make_demo_users
  [[ $refused == ' ' ]] || die "these nodes do not run, for the reasons above:$refused- the others do"
}

cluster_status() {
  local name why code=0
  [[ -d $home/nodes ]] || die "no cluster here yet; ${as_here}./startup.sh makes one"
  for name in $(node_names); do
    if ! runs "$name"; then
      printf '%-4s %-21s %-12s stopped\n' "$name" "$(address_of "$name")" '-'
      code=1
    elif why=$("$node_program" ready --data "$home/nodes/$name" 2>&1); then
      printf '%-4s %-21s pid %-8s ready\n' "$name" "$(address_of "$name")" "$(pid_of "$name")"
    else
      printf '%-4s %-21s pid %-8s %s\n' "$name" "$(address_of "$name")" "$(pid_of "$name")" "$why"
      code=1
    fi
  done
  if say_passed_over; then code=1; fi
  if runs visualizer; then
    printf 'page http://localhost:%s pid %s\n' "$(saved visualizer.port)" "$(pid_of visualizer)"
  else
    printf 'page stopped\n'
    code=1
  fi
  return "$code"
}

cluster_logs() {
  [[ -d $home/nodes ]] || die "no cluster here yet; ${as_here}./startup.sh makes one"
  if [[ -n $log_node ]]; then
    [[ -f $home/run/$log_node.log ]] || die "no log of '$log_node'; nodes are: $(node_names | xargs)"
    exec tail -n 100 -F "$home/run/$log_node.log"
  fi
  exec tail -n 20 -F "$home"/run/*.log
}

cluster_stop() {
  local file name there names=() left=''
  [[ -d $home/run ]] || die "no cluster here yet; ${as_here}./startup.sh makes one"
  one_at_a_time
  # Also a node whose folder is not as it was.
  for file in "$home"/run/*.pid; do
    name=${file##*/}
    name=${name%.pid}
    if there=$(folder_of "$name") && [[ $there != "$home" ]]; then
      left+="  $name (pid $(pid_of "$name")) was started for $there"$'\n'
    elif [[ -f $file ]]; then
      names+=("$name")
    fi
  done
  stop_these ${names[@]+"${names[@]}"}
  [[ -z $left ]] || die "this folder was moved or copied to $home, and these run on:"$'\n'"${left}If it was moved," \
    "stop them with 'kill PID', or move it back and stop them there. If this is a copy, delete its run/*.pid"
  say "stopped; data stays in $home"
}
