import {execFileSync, spawnSync} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {missing} from '../rig/missing.ts'
import {openRig} from '../rig/rig.ts'

/** Who may mount, in a namespace of its own, a file with XFS, which clones blocks. */
const canMount =
  spawnSync('mkfs.xfs', ['-V']).status === 0 &&
  spawnSync('unshare', ['--mount', 'sh', '-c', 'test -e /dev/loop-control && mount -t tmpfs none /mnt']).status === 0
const skip = canMount ? false : missing('mkfs.xfs (xfsprogs), and the right to mount')

/** What is brought: `BROUGHT=node_modules` names a folder; without it 32 MB in 500 files. */
const {BROUGHT} = process.env
const MAKE =
  BROUGHT === undefined
    ? 'mkdir deps; head -c 32000000 /dev/urandom | split -a 4 -b 64000 - deps/'
    : `cp -a ${BROUGHT} deps`
const SHOP = `require('node:http').createServer((_, response) => response.end(require('node:fs').readdirSync('deps').length + ' ordered')).listen(process.env.PORT, '127.0.0.1')`
const TEMPLATE = JSON.stringify({
  version: 1,
  bring: ['deps'],
  apps: [{appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'shop.js']}]
})

const PILLION = join(import.meta.dirname, '../../bin/pillion.js')
/** Runs a program in the folder of the same name, where the process whose pid was written down has mounted it. */
const ENTER = `exec nsenter --mount -t $(cat ../../pid) sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`

/** A new worktree until its first answer, on a file system with or without clones of blocks. */
async function bringOn(t: Test, reflink: 0 | 1): Promise<{readonly megabytes: number; readonly copied: number}> {
  const rig = await openRig(t, {program: ['sh', '-c', ENTER, 'sh', process.execPath, PILLION]})
  for (const name of ['main', 'pr']) mkdirSync(join(rig.folder, name))
  const mount = `truncate -s 3G ../disk && mkfs.xfs -q -m reflink=${reflink} ../disk && mount -o loop ../disk . && echo mounted && exec sleep 1000`
  const holder = rig.start(['unshare', '--mount', 'sh', '-c', mount])
  await holder.waitForLine('mounted')
  writeFileSync(join(rig.folder, '../pid'), holder.pid.toString())
  const sh = (script: string): string =>
    execFileSync('nsenter', ['--mount', '-t', holder.pid.toString(), 'sh', '-ec', `cd ${rig.folder}; ${script}`], {
      encoding: 'utf8'
    }).trim()
  sh(`mkdir main && cd main && ${MAKE}; printf deps > .gitignore`)
  sh(`cat > main/dapr.yaml <<'END'\n${TEMPLATE}\nEND`)
  sh(`cat > main/shop.js <<'END'\n${SHOP}\nEND`)
  sh('cd main && git init -q && git add . && git -c user.name=t -c user.email=t@t commit -qm shop')
  const used = (): number => Number(sh('sync; df -k --output=used . | tail -1')) / 1024
  const before = used()
  const began = performance.now()
  sh('cd main && git worktree add -q ../pr')
  const run = rig.pillion(['up'], {folder: 'pr'})
  await run.waitForLine('Started Dapr')
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '240s'], {folder: 'pr'}), {code: 0})
  const {stdout: url} = await rig.run(['url', 'shop'], {folder: 'pr'})
  t.match(await (await fetch(url.trim())).text(), /^\d+ ordered$/)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const megabytes = used() - before
  const copied = Number(sh('du -sk pr/deps').split('\t')[0]) / 1024
  t.comment(
    `reflink=${reflink}: first order after ${seconds} s, ${megabytes.toFixed(0)} MB more, ${copied.toFixed(0)} MB brought`
  )
  // of a folder by hand links may lead out of it
  if (BROUGHT === undefined) t.equal(sh('diff -r main/deps pr/deps && echo same'), 'same')
  sh('first=$(find pr/deps -type f | head -1); echo changed > $first')
  t.match(sh('diff -rq main/deps pr/deps || true'), /^Files .* differ$/, 'a change in the copy is not one in main')
  await run.end('SIGINT')
  await holder.end('SIGKILL')
  return {megabytes, copied}
}

t.test('bring clones blocks where the file system can, and copies where it cannot', {skip}, async t => {
  const cloned = await bringOn(t, 1)
  t.ok(cloned.megabytes < cloned.copied / 2, `${cloned.megabytes} MB for ${cloned.copied}`)
  const copied = await bringOn(t, 0)
  t.ok(copied.megabytes > copied.copied * 0.8, `${copied.megabytes} MB for ${copied.copied}`)
})
