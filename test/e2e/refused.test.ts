import {mkdir, readdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

t.test('a run that cannot start leaves nothing in the folder for temporary files', async t => {
  const rig = await openRig(t)
  const tmp = join(rig.folder, 'tmp')
  await mkdir(tmp)
  // the pipes of the first processes are still being made when the port turns out to be taken
  await rig.write({'bin/mkfifo': '#!/bin/sh\nsleep 0.3\nPATH=${PATH#*:} exec mkfifo "$@"\n'})
  const port = (await freePort()).toString()
  const args = ['run', '--app-id', 'a', '--dapr-http-port', port, '--dapr-grpc-port', port, '--', 'true']
  const script = 'chmod +x bin/mkfifo; PATH="$PWD/bin:$PATH" TMPDIR="$PWD/tmp" exec "$@"'
  const run = rig.start(['sh', '-c', script, 'sh', ...rig.program, ...args])
  t.match(await run.exited, {code: 1})
  t.match(run.stdout.text + run.stderr.text, new RegExp(port))
  t.same(await readdir(tmp), [])
})
