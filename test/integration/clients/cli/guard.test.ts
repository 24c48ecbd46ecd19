import {spawnSync} from 'node:child_process'
import t from 'tap'

const GUARD = new URL('../../../../src/clients/cli/guard.ts', import.meta.url).href

/** Guards a run in a program of its own, in which promises are rejected that nobody awaits; gives what is printed and done. */
function guarded(codes: readonly string[], then = ''): {readonly stdout: string; readonly stderr: string} {
  const script = `
    import {guard} from ${JSON.stringify(GUARD)}
    const err = {print: async text => void process.stderr.write(text)}
    const run = {stop: () => console.log('stop'), stopNow: () => console.log('stopNow')}
    const hasBug = guard(run, {err, closed: new Promise(() => undefined)}, {asJson: false})
    for (const code of ${JSON.stringify(codes)}) {
      Promise.reject(Object.assign(new Error(code + ': of a test'), {code}))
      await new Promise(setImmediate)
    }
    ${then}
    console.log(hasBug())`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {encoding: 'utf8'})
}

const signalled = (...signals: readonly string[]): string =>
  guarded([], `for (const signal of ${JSON.stringify(signals)}) process.emit(signal)`).stdout

t.test('where no file can be opened for a moment the run goes on, and says so once', async t => {
  const {stdout, stderr} = guarded(['EMFILE', 'ENFILE', 'EMFILE'])
  t.equal(stdout, 'false\n')
  t.equal(
    stderr,
    '⚠  a task has failed, since no more files may be open: EMFILE: of a test. The run continues; to raise the limit: ulimit -n\n'
  )
})

t.test('a second signal ends the grace, but for HUP: a closing terminal may send two, as down does', async t => {
  t.equal(signalled('SIGINT', 'SIGTERM'), 'stop\nstopNow\nfalse\n')
  t.equal(signalled('SIGHUP', 'SIGHUP'), 'stop\nfalse\n')
  t.equal(signalled('SIGINT', 'SIGHUP'), 'stop\nfalse\n')
  t.equal(signalled('SIGHUP', 'SIGINT'), 'stop\nstopNow\nfalse\n')
})

t.test('another error that nobody awaits is a bug, which ends the run', async t => {
  const {stdout, stderr} = guarded(['ENOENT'])
  t.equal(stdout, 'stopNow\ntrue\n')
  t.match(stderr, /^Error: ENOENT: of a test\n +at /)
})
