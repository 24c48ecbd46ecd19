import {chmod, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** As root only without the right to write into read-only folders. */
const WITHOUT = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override', '--'] : []
const APP = `console.log('said'); process.getBuiltinModule('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)`

t.test('a read-only checkout: up -d and up --run start, and say where the logs are', async t => {
  const rig = await openRig(t)
  const app = {appID: 'web', appDirPath: '.', port: await freePort(), command: ['node', 'web.mjs']}
  await rig.write({
    'shop/pillion.yaml': JSON.stringify({version: 1, apps: [app]}),
    'shop/web.mjs': APP,
    'tmp/.keep': ''
  })
  const folder = 'shop'
  await chmod(join(rig.folder, folder), 0o555)
  t.teardown(async () => chmod(join(rig.folder, folder), 0o755))
  const pillion = async (words: readonly string[]): ReturnType<typeof rig.run> => {
    const env = {CI: 'true', HOME: '', TMPDIR: join(rig.folder, 'tmp')}
    const program = rig.start([...WITHOUT, ...rig.program, ...words], {folder, env})
    program.stdin.end()
    const {code} = await program.exited
    return {code, stdout: program.stdout.text, stderr: program.stderr.text}
  }
  const up = await pillion(['up', '-d'])
  t.match(up, {code: 0, stdout: /web +ready/})
  const [, logs = ''] =
    /cannot write log files in .*shop\/\.dapr\/logs: permission denied\. They are in (\S+)/.exec(up.stderr) ?? []
  const [log = ''] = (await readdir(logs)).filter(name => name.startsWith('web_app_'))
  t.match(await readFile(join(logs, log), 'utf8'), 'said')
  t.match(await pillion(['logs', 'web']), {code: 0, stdout: /said/})
  t.match(await pillion(['down']), {code: 0})
  const report = join(rig.folder, 'report')
  t.match(await pillion(['up', '--report', report, '--run', 'true']), {code: 0})
  t.match(await readFile(join(report, 'logs/web.log'), 'utf8'), 'said')
})
