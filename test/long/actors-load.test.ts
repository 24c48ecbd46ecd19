import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** `CALLS=50000 ACTORS=1000 SAVES=20 KILLS=5` is a quarter of an hour on a busy machine. */
const {CALLS = '2400', ACTORS = '200', SAVES = '3', KILLS = '1'} = process.env
const CALLERS = 24

t.setTimeout(1_800_000)

const HOST = join(import.meta.dirname, '../fixtures/apps/actor-ledger.mjs')

t.test('calls of actors while their host is saved and killed: exact, one at a time, and in order', async t => {
  const rig = await openRig(t)
  const file = join(rig.home, 'journal')
  await rig.write({'host/version.txt': '0'})
  await rig.template([
    {
      appID: 'host',
      autoPort: true,
      watch: true,
      restart: 'always',
      command: [process.execPath, HOST],
      env: {JOURNAL: file}
    },
    {appID: 'shop', command: ['sleep', '10000']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const call = async (id: number, method: string, body: string): Promise<{status: number; text: string}> => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/actors/Counter/${id}/method/${method}`, {
      method: 'POST',
      body
    })
    return {status: answer.status, text: await answer.text()}
  }
  const counts = new Map<number, number>()
  let [left, done, failed] = [Number(CALLS), 0, 0]
  const unexpected: string[] = []
  const load = async (caller: number): Promise<void> => {
    for (let sequence = 0; left-- > 0; sequence++) {
      const id = Math.floor(Math.random() * Number(ACTORS))
      const {status, text} = await call(id, 'add', `${caller} ${sequence}`)
      const isIn = status === 200 || (await call(id, 'last', `${caller} ${sequence}`)).text === `${sequence}`
      if (isIn) counts.set(id, (counts.get(id) ?? 0) + 1)
      if (status !== 200) failed++
      if (status !== 200 && !text.includes('was ended by SIGKILL')) unexpected.push(`${status} ${text}`)
      done++
    }
  }
  const loads = Array.from({length: CALLERS}, async (_, caller) => load(caller))
  const steps = [
    ...Array.from({length: Number(SAVES)}, () => 'save'),
    ...Array.from({length: Number(KILLS)}, () => 'kill')
  ]
  const order = steps.map((step, at) => ({
    step,
    at: step === 'save' ? at : (at - Number(SAVES) + 0.5) * (Number(SAVES) / Number(KILLS))
  }))
  const journal = (): string => readFileSync(file, 'latin1')
  const pidNow = (): string => journal().trimEnd().split('\n').at(-1)?.split(' ')[0] ?? ''
  let saves = 0
  for (const [index, {step}] of order.toSorted((a, b) => a.at - b.at).entries()) {
    const due = ((index + 1) * Number(CALLS)) / (steps.length + 2)
    while (done < due) await pause(20) // oxlint-disable-line no-unmodified-loop-condition -- the callers do
    if (step === 'save') {
      await rig.write({'host/version.txt': `${++saves}`})
      await run.waitForLine(/^ℹ️ {2}host: reloaded in /, {nth: saves})
      continue
    }
    const pid = pidNow()
    process.kill(Number(pid), 'SIGKILL')
    while (pidNow() === pid) await pause(50)
  }
  await Promise.all(loads)
  t.strictSame(unexpected, [])
  t.ok(failed <= Number(KILLS) * CALLERS, 'only what was inside of a killed process')
  const wrong: string[] = []
  for (const [id, count] of counts) {
    const {text} = await call(id, 'count', 'test 0')
    if (text !== `${count}`) wrong.push(`${id}: ${text}, not ${count}`)
  }
  t.strictSame(wrong, [])
  t.comment(`${done} calls, ${failed} failed by a kill; ${saves} saves, ${KILLS} kills`)
  t.strictSame(overlapsIn(journal()), [])
})

/** Calls that began in an actor while another one was inside of the same process, and those that came before an earlier one of their caller. */
function overlapsIn(journal: string): readonly string[] {
  const inside = new Map<string, string>()
  const last = new Map<string, number>()
  const faults: string[] = []
  for (const line of journal.trimEnd().split('\n')) {
    const [pid = '', id = '', what = '', caller = '', sequence = ''] = line.split(' ')
    if (what === 'in') {
      if (inside.get(id) === pid) faults.push(`overlap: ${line}`)
      if (Number(sequence) < (last.get(caller) ?? 0)) faults.push(`order: ${line}`)
      inside.set(id, pid)
      if (caller !== 'test') last.set(caller, Number(sequence))
    } else if (inside.get(id) === pid) {
      if (what === 'gone') faults.push(`let go inside: ${line}`)
      inside.delete(id)
    }
  }
  return faults
}
