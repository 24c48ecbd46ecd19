/** Builds the disguise in `build/disguise`: paths are written into it, since Pillion gives `ps` and its watchdog no environment of ours. */
import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const HERE = join(ROOT, 'test/fixtures/disguise')
const room = join(ROOT, 'build/disguise')
rmSync(room, {recursive: true, force: true})
for (const folder of ['proc', 'dev', 'run', 'bin']) mkdirSync(join(room, folder), {recursive: true})
for (const tool of ['real-stty', 'real-mkfifo']) writeFileSync(join(room, tool), '') // the true ones are mounted there

const program = join(ROOT, 'bin/pillion.js')
const goRoot = execFileSync('go', ['env', 'GOROOT'], {encoding: 'utf8'}).trim()
const place = (name: string, to: string, mode: number): void => {
  const text = readFileSync(join(HERE, name), 'utf8')
  writeFileSync(
    to,
    text
      .replaceAll('ROOM', room)
      .replaceAll('NODE ', `${process.execPath} `)
      .replaceAll('PROGRAM', program)
      .replaceAll('GO_ROOT', goRoot)
  )
  chmodSync(to, mode)
}
place('pillion.sh', join(room, 'pillion'), 0o755)
for (const tool of ['stty.sh', 'mkfifo.sh']) place(tool, join(room, tool), 0o755)
copyFileSync(join(HERE, 'preload.mjs'), join(room, 'preload.mjs'))

const see = join(room, 'see')
const [up = '0'] = readFileSync('/proc/uptime', 'utf8').split(' ')
const values = {root: join(room, 'proc'), boot: (Date.now() / 1000 - Number(up)).toFixed(2)}
const flags = Object.entries(values).map(([name, value]) => `-X main.${name}=${value}`)
execFileSync('go', ['build', '-ldflags', `-s ${flags.join(' ')}`, '-o', see, join(HERE, 'see.go')], {stdio: 'inherit'})
linkSync(see, join(room, 'bin/lsof'))
