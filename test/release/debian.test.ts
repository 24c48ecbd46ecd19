import {basename, join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {installed} from '../sdks/installed.ts'
import {released} from './built.ts'
import {inRoot, rootly} from './chroot.ts'
import {debian, RELEASES} from './roots.ts'

const TEMPLATE = 'version: 1\napps:\n  - {appID: shop, appDirPath: ., command: [echo, open]}\n'

for (const release of RELEASES)
  t.test(`Debian, ${release}: installed, it asks for libatomic, runs a template, and is removed`, async t => {
    const base = await installed(t, debian(release))
    if (base === undefined) return
    const rig = await openRig(t)
    const root = join(rig.folder, 'root')
    const [deb, rpm] = [released('_amd64.deb'), released('.x86_64.rpm')]
    await rig.write({'work/dapr.yaml': TEMPLATE})
    await rootly(rig, 'cp', '-a', base, root)
    await rootly(rig, 'cp', '-r', deb, rpm, join(rig.folder, 'work'), root)
    const alone = await inRoot(rig, root, `dpkg -i /${basename(deb)}`)
    t.match(alone, /pillion depends on libatomic1; however:\s+Package libatomic1 is not installed/)
    t.match(alone, /exit code 1\n$/)
    const whole = await inRoot(
      rig,
      root,
      `export DEBIAN_FRONTEND=noninteractive
      apt-get -q update && apt-get -q install -y --fix-broken --no-install-recommends && pillion up && pillion upgrade --from /
      ls /usr/share/bash-completion/completions/pillion; apt-get -q purge -y pillion; ! [ -e /usr/bin/pillion ]`
    )
    t.match(whole, '== APP - shop == open\n')
    t.match(whole, '/usr/bin/pillion belongs to a package of this system\n')
    t.match(whole, '\n/usr/share/bash-completion/completions/pillion\n')
    t.match(whole, /exit code 0\n$/)

    await rootly(rig, 'rpm', '--root', root, '--nodeps', '--install', join(root, basename(rpm)))
    t.match(
      await inRoot(rig, root, 'pillion up'),
      /== APP - shop == open\n[^]*exit code 0\n$/,
      'the package of Red Hat'
    )
    await rootly(rig, 'rpm', '--root', root, '--erase', 'pillion')
    t.match(await inRoot(rig, root, '[ -e /usr/bin/pillion ] || echo gone'), 'gone\n')
    t.same(await rig.leftovers(), [])
    await rootly(rig, 'rm', '-r', root)
  })

t.test('Red Hat’s package says what it needs', async t => {
  const rig = await openRig(t)
  const rpm = rig.start(['rpm', '-qp', '--requires', released('.x86_64.rpm')])
  t.match(await rpm.exited, {code: 0})
  for (const needed of ['glibc >= 2.28', 'libstdc++', 'libatomic']) t.match(rpm.stdout.text, `${needed}\n`)
})
