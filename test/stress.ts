/**
 * `npm run test:stress -- FILE [TIMES]`: runs a test file again and again on a busy machine, to find what fails by chance. Twenty
 * processes use all the CPU that there is, and the test has half a core. What it finds belongs into the test, not into a second try.
 */
import {spawn, type ChildProcess} from 'node:child_process'
import {setPriority} from 'node:os'

const LOAD = 20
const [file, times = '10'] = process.argv.slice(2)

/** Ends by itself as soon as this process does. */
const BURN = `process.on('disconnect', () => process.exit())
const burn = () => {
  for (const end = Date.now() + 50; Date.now() < end;);
  setImmediate(burn)
}
burn()`

/** Of so little weight that ten of them take half of a core, and leave the other half to the test. */
const BURNERS_PRIORITY = 10

function busy(): ChildProcess {
  const child = spawn(process.execPath, ['-e', BURN], {stdio: ['ignore', 'ignore', 'ignore', 'ipc']})
  if (child.pid !== undefined) setPriority(child.pid, BURNERS_PRIORITY)
  return child
}

/** Keeps the test on one core, where that can be done: on Linux. */
const PINNED = process.platform === 'linux' ? ['taskset', '-c', '0'] : []

if (file === undefined) {
  console.error('Usage: npm run test:stress -- FILE [TIMES]')
  process.exit(1)
}
const load = Array.from({length: LOAD}, busy)
let failed = 0
try {
  for (let time = 1; time <= Number(times); time++) {
    const begun = performance.now()
    const [program, ...args] = [...PINNED, process.execPath, 'test/run.ts', '--built', file]
    const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'inherit']})
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => void (text += more))
    const code = await new Promise<number | null>(resolve => child.once('close', resolve))
    if (code !== 0) failed++
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${time} of ${times} (${seconds} s)${code === 0 ? '' : `\n${text}`}`)
  }
} finally {
  for (const child of load) child.kill('SIGKILL')
}
console.log(`${Number(times) - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
