// As every-exit, of the built program: what each command prints, and what is left on the disk.
import t from 'tap'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {COMMANDS_ASKED} from '../rig/exits.ts'
import {openRig} from '../rig/rig.ts'
import {secretShop} from '../rig/secret-shop.ts'
import {ShownSecrets} from '../rig/shown-secrets.ts'

t.test('no command prints a secret, and none is left on the disk', async t => {
  const rig = await openRig(t)
  const shop = await secretShop()
  const shown = new ShownSecrets(shop.canaries)
  await rig.write(shop.files)
  const run = rig.pillion(['run', '-f', '.'], {env: shop.env})
  const {http: httpPort, grpc: grpcPort} = await run.ports('shop')
  const socket = controlSocket(rig)
  const wait = async (...wanted: readonly string[]): Promise<unknown> =>
    ask(socket, '/api/v1/wait', {method: 'POST', body: JSON.stringify({for: wanted, timeout: '60s'})})
  await wait('ready')
  await shop.send({httpPort, grpcPort})
  await wait('exit:shop', 'ready')
  const print = async (command: string, args: string): Promise<void> => {
    const words = [...command.split(' '), ...args.split(' ').filter(word => word !== '')]
    const {stdout, stderr} = await rig.run(words, {env: shop.env})
    shown.add(`${command} ${args}`.trim(), stdout + stderr)
  }
  for (const [command, asked] of Object.entries(COMMANDS_ASKED))
    if (typeof asked !== 'string') for (const args of asked) await print(command, args)
  await run.exited
  shown.add('run', run.stdout.text + run.stderr.text)
  for (const command of ['why', 'runs', 'doctor']) await print(command, '')
  const isOwn = (path: string): boolean => path in shop.files || /_app_\d+\.log$|\.db(?:-\w+)?$/.test(path)
  for (const folder of [rig.folder, rig.home, rig.runtimeDir]) shown.addFiles(folder, isOwn)
  t.strictSame(shown.all, {
    // as in every-exit
    run: ['the password of a binding that is wrong'],
    'sidecar log': ['a URL among the arguments', 'a path', 'an argument', 'an argument of its own']
  })
})
