import {execFileSync} from 'node:child_process'
import t from 'tap'
import {loadFfi} from '../../../src/platform/experimental.ts'
import {dropProgramPages, rangesIn, residentMemory} from '../../../src/platform/program-pages.ts'

const part = (range: string, modes: string, path: string, anonymous = 0): string =>
  `${range} ${modes} 00001000 fe:00 42                         ${path}\nSize:  8 kB\nRss:   8 kB\nAnonymous: ${anonymous.toString().padStart(12)} kB\nVmFlags: rd mr\n`

t.test('parts of the program that nobody can have written to', async t => {
  const smaps = [
    part('00400000-00500000', 'r--p', '/opt/node'),
    part('00500000-7f0000000000', 'r-xp', '/opt/node'),
    part('7f0000000000-7f0000001000', 'rw-p', '/opt/node'),
    part('7f0000001000-7f0000002000', 'r--p', '/opt/node', 4),
    part('7f0000002000-7f0000003000', 'r-xp', '/lib/libc.so.6'),
    part('7f0000003000-7f0000004000', 'r-xp', '/my /opt/node'),
    part('7f0000004000-7f0000005000', 'r--p', '')
  ].join('')
  t.same(rangesIn(smaps, '/opt/node'), [
    {start: 0x400000n, bytes: 0x100000n},
    {start: 0x500000n, bytes: 0x7effffb00000n}
  ])
})

t.test('what the program has read of its file is let go, and it goes on', async t => {
  const isLinux = process.platform === 'linux'
  const {own, ofFiles} = residentMemory()
  t.ok(own > 5e6)
  t.equal(ofFiles > 0, isLinux)
  const canCall = isLinux && loadFfi() !== undefined
  t.equal(dropProgramPages(), canCall)
  if (canCall) t.ok(residentMemory().ofFiles < ofFiles - 8e6, `${ofFiles} bytes before`)
  t.equal(dropProgramPages(), canCall, 'a second time')
})

t.test('a process that can open no file does not know how much memory it has', async t => {
  const code = `
    import {openSync} from 'node:fs'
    const {residentMemory} = await import(${JSON.stringify(new URL('../../../src/platform/program-pages.ts', import.meta.url))})
    try {
      for (;;) openSync('/dev/null')
    } catch {}
    console.log(JSON.stringify(residentMemory()))`
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', code]
  const {own, ofFiles} = JSON.parse(execFileSync('sh', limited, {encoding: 'utf8'})) as ReturnType<
    typeof residentMemory
  >
  if (process.platform === 'linux') t.equal(own, 0)
  t.equal(ofFiles, 0)
})
