import {copyFileSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {RELEASE, VERSION} from './built.ts'

const SCRIPT = join(RELEASE, 'install.sh')

t.test('an empty home: the script, the first template; the executable updates; a wrong sum does nothing', async t => {
  const rig = await openRig(t)
  const program = join(rig.home, '.local/bin/pillion')
  const started = async (...command: readonly string[]): Promise<string> => {
    const one = rig.start(command, {env: {PATH: `${rig.home}/.local/bin:/usr/bin:/bin`}})
    const {code} = await one.exited
    return `${one.stdout.text}${one.stderr.text}exit code ${code}`
  }
  await rig.template([{appID: 'shop', command: ['echo', 'open']}])
  t.match(await started('sh', '-c', `sh ${SCRIPT} --from ${RELEASE} && pillion up`), /open\n[^]*exit code 0$/)
  const bytes = readFileSync(program)
  copyFileSync(program, `${program}.older`)
  t.match(await started(program, 'upgrade', '--from', RELEASE), `installed ${program}\nCLI version: ${VERSION}`)
  t.ok(readFileSync(program).equals(bytes))

  await rig.write({'wrong/SHA256SUMS': readFileSync(join(RELEASE, 'SHA256SUMS'), 'utf8')})
  const name = `pillion-${VERSION}-linux-x64.gz`
  writeFileSync(join(rig.folder, 'wrong', name), readFileSync(join(RELEASE, name)).subarray(0, 1_000_000))
  t.match(await started(program, 'upgrade', '--from', 'wrong'), /is not what SHA256SUMS says[^]*exit code 1$/)
  t.match(await started(program, 'upgrade'), /where are the files of the release\? --from PLACE/)
  t.match(
    await started(program, 'upgrade', '-k', '--runtime-version', '1.18.3'),
    /not supported for Kubernetes: use Dapr's own CLI\nexit code 1$/
  )
  t.match(await started(`${program}.older`, 'upgrade', '--from', RELEASE), /this executable is .*pillion\.older/)
  t.ok(readFileSync(program).equals(bytes))
})
