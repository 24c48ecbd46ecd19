import type {Action} from './steps/step.ts'

/** What was done, as commands that a person can type. */
export const scriptOf = (actions: readonly Action[]): string =>
  `mkdir day && cd day\n${actions.map(lineOf).join('\n')}\n`

function lineOf(action: Action): string {
  switch (action.do) {
    case 'write':
      return Object.entries(action.files)
        .map(([path, text]) => written(path, text))
        .join('\n')
    case 'write under calls': {
      const {do: _, files, ...calls} = action
      const [call, write] = [{...calls, do: 'call'} as const, {do: 'write', files} as const].map(lineOf)
      return `(${call})\n${write}`
    }
    case 'write many':
      return `for d in ${action.folders.join(' ')}; do for i in $(seq ${action.count}); do echo ${action.text} > $d/many-$i.txt; done; done`
    case 'pillion':
      return `pillion ${action.args.join(' ')}${action.isLeft === true ? ' &' : ''}`
    case 'up':
      return `pillion up ${action.args.join(' ')} & pillion wait --for ready`
    case 'kill app':
      return `kill -s ${action.signal.slice(3)} "$(pillion ps ${action.name} -o json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')"`
    case 'kill run':
      return `kill -9 %1; wait`
    case 'call':
      if (action.port !== undefined)
        return `for i in $(seq ${action.count}); do curl -d x localhost:${action.port}/x & done # ${action.to}`
      return `for i in $(seq ${action.count}); do pillion invoke -a ${action.to} -m call & done # from ${action.from}${action.isGrpc === true ? ', by gRPC' : ''}`
    case 'publish':
      return `for i in $(seq ${action.count}); do pillion publish -i ${action.from} -p ${action.bus} -t to-${action.to} -d $i; done`
    case 'save state':
      return `curl -d '[{"key":"${action.key}","value":"${action.value}"}]' "localhost:$DAPR_HTTP_PORT/v1.0/state/${action.store}" # of ${action.from}`
    case 'flood':
      return `curl "localhost:$APP_PORT/flood?mark=x&count=${action.count}" # of ${action.name}`
    case 'suspend':
      return action.name === undefined
        ? 'kill -STOP %1; sleep 0.5; kill -CONT %1'
        : `kill -STOP PID; sleep 0.5; kill -CONT PID # of ${action.name}`
    case 'other run':
      return '(cd other && pillion up & cd other && pillion wait --for ready && pillion down)'
    case 'start workflow':
      return `pillion workflow run day --app-id ${action.from} -i ${action.id}`
    case 'raise event':
      return `for id in $(pillion workflow list --app-id ${action.from} | awk '/RUNNING/ {print $2}'); do pillion workflow raise-event $id/go; done`
    case 'pause':
      return `sleep ${action.ms / 1000}`
    case 'stream':
      return `curl -N "localhost:$DAPR_HTTP_PORT/v1.0/invoke/${action.to}/method/stream" & # of ${action.from}`
    case 'second run':
      return action.isNamed
        ? 'pillion up --name two & pillion wait --name two --for ready; pillion down --name two; wait %2'
        : 'pillion run -f . & sleep 3; kill %2; wait %2'
    case 'second up':
      return `pillion up ${action.flags.join(' ')} # is refused`
    case 'plan':
      return action.kind === 'job'
        ? `curl -d '{"dueTime": "${action.afterMs}ms"}' "localhost:$DAPR_HTTP_PORT/v1.0/jobs/NAME" # of ${action.from}`
        : `curl -d '{"dueTime": "${action.afterMs}ms"}' "localhost:$DAPR_HTTP_PORT/v1.0/actors/host-${action.from}/1/reminders/NAME"`
    case 'take ports':
      return `nc -lk 127.0.0.1 $DAPR_HTTP_PORT & # of ${action.name}`
    case 'free ports':
      return 'kill %2 # those that were taken'
    case 'few descriptors':
      return `prlimit --pid RUN --nofile=$(ls /proc/RUN/fd | tail -1):; pillion invoke -a ${action.to} -m call; prlimit --pid RUN --nofile=1000000: # from ${action.from}`
    case 'full disk':
      return `prlimit --pid RUN --fsize=100000:; curl "localhost:$APP_PORT/flood?mark=x&count=20000"; prlimit --pid RUN --fsize=unlimited: # of ${action.name}`
    case 'clock jumps':
      return `date -s "${action.ms / 1000} seconds"`
    case 'rest':
      return 'pillion wait --for idle:300ms'
  }
}

function written(path: string, text: string): string {
  const folder = path.includes('/') ? `mkdir -p ${path.slice(0, path.lastIndexOf('/'))} && ` : ''
  return /^[\w=]*\n?$/.test(text)
    ? `${folder}echo '${text.trimEnd()}' > ${path}`
    : `${folder}cat > ${path} <<'END'\n${text}END`
}
