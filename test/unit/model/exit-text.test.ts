import t from 'tap'
import {exitText} from '../../../src/model/exit-text.ts'
import type {Exit} from '../../../src/model/app-state.ts'

const code = (n: number): Exit => ({kind: 'code', code: n})
const signal = (name: NodeJS.Signals): Exit => ({kind: 'signal', signal: name})

t.test('an exit is described as Go does', t => {
  const cases: [Exit, string][] = [
    [code(0), 'exit status 0'],
    [code(127), 'exit status 127'],
    [signal('SIGKILL'), 'signal: killed'],
    [signal('SIGTERM'), 'signal: terminated'],
    [signal('SIGHUP'), 'signal: hangup'],
    [signal('SIGINT'), 'signal: interrupt'],
    [signal('SIGABRT'), 'signal: aborted'],
    [signal('SIGSEGV'), 'signal: segmentation fault'],
    [signal('SIGUSR1'), 'signal: user defined signal 1'],
    [signal('SIGPIPE'), 'signal: broken pipe'],
    [signal('SIGLOST'), 'signal: SIGLOST'],
    [{kind: 'spawn-error', message: 'spawn foo ENOENT'}, 'spawn foo ENOENT']
  ]
  for (const [exit, words] of cases) t.equal(exitText(exit), words)
  t.end()
})
