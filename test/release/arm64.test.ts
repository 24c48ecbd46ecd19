import {existsSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {missing} from '../rig/missing.ts'
import {openRig} from '../rig/rig.ts'

const EMULATOR = 'qemu-aarch64-static'
const LIBRARIES = '/usr/aarch64-linux-gnu'
const EXECUTABLE = join(import.meta.dirname, '../../build/pillion-linux-arm64')

const lacks = ['lib/ld-linux-aarch64.so.1', 'lib/libatomic.so.1', 'lib/libstdc++.so.6'].filter(
  name => !existsSync(join(LIBRARIES, name))
)
const skip = lacks.length === 0 ? false : missing(`${LIBRARIES}/${lacks.join(', ')}`)

// More of it is tested on such a machine: the emulator hangs now and then when a process with threads starts another.
t.test('the executable for Linux on arm64 runs a template in an emulator, and names a mistake', {skip}, async t => {
  const rig = await openRig(t)
  const pillion = async (...args: readonly string[]) => {
    const program = rig.start([EMULATOR, '-L', LIBRARIES, EXECUTABLE, ...args])
    const {code} = await program.exited
    return {code, out: program.stdout.text, err: program.stderr.text}
  }
  t.match(await pillion('--version'), {code: 0, out: /^CLI version: \d/})
  await rig.template([{appID: 'shop', command: ['echo', 'open']}])
  t.match(await pillion('run', '-f', '.'), {code: 0, out: '== APP - shop == open\n'})
  t.same(await rig.leftovers(), [])
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: shop\n    appPort: many\n'})
  const {code, err, out} = await pillion('validate', '-f', '.')
  t.equal(code, 1)
  t.match(`${out}${err}`, /dapr\.yaml:4:14[\s\S]*appPort: many\n\s*\S*\s*\^/)
})
