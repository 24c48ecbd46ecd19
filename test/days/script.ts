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
      return `for i in $(seq ${action.count}); do pillion invoke -a ${action.to} -m call & done # from ${action.from}`
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
