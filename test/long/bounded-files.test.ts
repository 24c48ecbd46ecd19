import {execFile} from 'node:child_process'
import {mkdir, symlink} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const execute = promisify(execFile)
const MIB = 2 ** 20

/** What may stand where a file is expected, and what is said of it. */
const KINDS: readonly (readonly [make: (path: string, rig: Rig) => Promise<unknown>, said: string])[] = [
  [async path => execute('mkfifo', [path]), 'it is a named pipe, not a regular file'],
  [async path => symlink('/dev/zero', path), 'it is a device, not a regular file'],
  [async path => symlink('/dev/urandom', path), 'it is a device, not a regular file'],
  [async path => mkdir(path), 'is a directory'],
  [
    async (path, rig) => rig.write({[path.slice(rig.folder.length + 1)]: '#'.repeat(MIB + 1)}),
    'it is larger than 1 MiB'
  ]
]

for (const [make, said] of KINDS) {
  t.test(`as a template: ${said}`, async t => {
    const rig = await openRig(t)
    await make(join(rig.folder, 'dapr.yaml'), rig)
    for (const command of ['validate', 'run']) {
      const {code, stdout} = await rig.run([command, '-f', '.'])
      t.equal(code, 1)
      t.match(stdout, new RegExp(`error in reading the provided app config file: (open|read) dapr\\.yaml: ${said}\n`))
    }
  })

  for (const key of ['envFile', 'configFilePath'].filter(key => key === 'envFile' || !said.includes('larger'))) {
    t.test(`as ${key}: ${said}, with its place`, async t => {
      const rig = await openRig(t)
      await rig.template([{appID: 'shop', command: ['true'], [key]: './x'}])
      await make(join(rig.folder, 'shop/x'), rig)
      for (const command of ['validate', 'run']) {
        const {code, stdout, stderr} = await rig.run([command, '-f', '.'])
        t.equal(code, 1)
        t.match(stdout, `error in reading the ${key}: open ${rig.folder}/shop/x: `)
        t.match(stdout, said)
        t.match(stderr, /^dapr\.yaml:\d+:\d+\n.*"\.\/x"\n +\^{5}\n/)
      }
    })
  }

  t.test(`as a Configuration of the app's folder: ${said}, and the app is not started without its rules`, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'shop'}])
    await rig.write({'shop/.dapr/resources/good.yaml': ''})
    await make(join(rig.folder, 'shop/.dapr/config.yaml'), rig)
    const {code, stderr} = await rig.run(['run', '-f', '.'])
    t.match(stderr, new RegExp(`"shop" was not started: shop/\\.dapr/config\\.yaml:1: .*${said}`))
    t.equal(code, 1)
  })

  t.test(`as a resource of the app's folder: ${said}, and the run continues`, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'shop'}])
    await rig.write({'shop/.dapr/resources/good.yaml': ''})
    const resource = 'shop/.dapr/resources/endpoint.yaml'
    await make(join(rig.folder, resource), rig)
    const run = rig.pillion(['run', '-f', '.'])
    const app = await rig.driven('shop')
    const {http} = await run.ports('shop')
    t.match(await app.fetch(`http://127.0.0.1:${http}/v1.0/invoke/nobody/method/x`), {status: 500})
    await run.stderr.line(new RegExp(`${resource}:1:1: .*${said}`))
    t.match(await run.end('SIGINT'), {code: 0})
  })
}

t.test('input without end is not read for ever', async t => {
  const rig = await openRig(t)
  const endless = rig.start(['sh', '-c', '"$@" validate -f - < /dev/zero', 'sh', ...rig.program])
  t.match(await endless.exited, {code: 1})
  t.match(endless.stdout.text, 'error in reading the provided app config from stdin: it is larger than 1 MiB')
  const {code, stderr} = await rig.run(['invoke', '-a', 'shop', '-m', 'x', '--data-file', '/dev/zero'])
  t.equal(code, 1)
  t.match(stderr, /\/dev\/zero.*it is larger than 256 MiB/)
})
