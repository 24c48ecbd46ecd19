/** A worker of Celery with its pool: a save must not cost it the tasks in hand. */
import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {openRig} from '../rig/rig.ts'
import {installed, launchersOfPython} from '../sdks/installed.ts'

const SAVES = 3
/** So many for each save, and as many at the end. */
const EACH = 6
const TASKS = EACH * (SAVES + 1)
const TASKS_PY = `import os, time
from celery import Celery

app = Celery(broker=os.environ['BROKER'])

def note(word, number):
    with open('notes', 'a') as notes:
        notes.write(f'{word} {number}\\n')

@app.task
def work(number):
    note('begin', number)
    time.sleep(0.4)
    note('done', number)
`
/** Sends tasks of these numbers, one a line. */
const SEND = 'import sys, tasks\nfor line in sys.stdin: tasks.work.delay(int(line))'

t.test('over three saves each task of Celery is done once', {skip: skipWithoutRedis, timeout: 200_000}, async t => {
  const python = await installed(t, launchersOfPython)
  if (python === undefined) return
  const {port} = await realRedis(t)
  const env = {PYTHONPATH: python, BROKER: `redis://127.0.0.1:${port}/0`}
  const rig = await openRig(t)
  await rig.write({'worker/tasks.py': TASKS_PY, 'worker/saved.txt': ''})
  const command = ['python3', '-m', 'celery', '-A', 'tasks', 'worker', '--concurrency', '2', '--loglevel', 'warning']
  await rig.template([{appID: 'worker', command, env, watch: ['saved.txt'], stop: {timeout: '30s'}}])
  const folder = join(rig.folder, 'worker')
  const file = join(folder, 'notes')
  const notes = (word: string): readonly string[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n').filter(line => line.startsWith(`${word} `))
  const more = async (word: string, than: number): Promise<void> => {
    while (notes(word).length <= than) await pause(20)
  }
  const run = rig.pillion(['run', '-f', '.'])
  const sender = rig.start(['python3', '-c', SEND], {folder: 'worker', env})
  let sent = 0
  const send = (): void => {
    for (const end = sent + EACH; sent < end; sent++) sender.stdin.write(`${sent}\n`)
  }
  for (let save = 0; save < SAVES; save++) {
    send()
    await more('begin', sent - EACH)
    await rig.write({'worker/saved.txt': save.toString()})
    await run.waitForLine('worker: reloaded', {nth: save + 1})
  }
  send()
  await more('begin', TASKS - 1)
  await run.end()
  const numbers = notes('done').map(line => Number(line.slice(5)))
  t.same(
    numbers.toSorted((a, b) => a - b),
    Array.from({length: TASKS}, (_, number) => number)
  )
  t.equal(notes('begin').length, TASKS)
})
