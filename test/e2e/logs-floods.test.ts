import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('logs that a run does not send to their end, since it is killed, are no success', async t => {
  const rig = await openRig(t)
  const command = ['sh', '-c', 'yes "a line of many" | head -n 2000000; echo last; exec sleep 600']
  await rig.template([{appID: 'stock', appLogDestination: 'file', command}])
  const run = rig.pillion(['run', '-f', '.'])
  while (!(await rig.run(['logs', 'stock', '--tail', '1'])).stdout.includes('last'));
  await rig.start(['mkfifo', 'go']).exited
  for (const more of [[], ['-t']]) {
    const script = '{ "$@"; echo "code $?" >&2; } | { read -r first; echo "$first"; cat go; cat > rest; }'
    const reader = rig.start(['sh', '-c', script, 'sh', ...rig.program, 'logs', 'stock', ...more])
    await reader.waitForLine('a line of many')
    if (more.length > 0) {
      await run.end('SIGKILL')
    }
    await rig.start(['sh', '-c', 'echo > go']).exited
    await reader.exited
    t.match(reader.stderr.text, more.length > 0 ? /the run has ended[^]*code 1/ : /^code 0\n$/)
  }
})

t.test('a slow follower loses the oldest lines, is told how many, and holds nobody up', async t => {
  const rig = await openRig(t)
  await rig.template([
    {
      appID: 'flood',
      appLogDestination: 'file',
      command: ['sh', '-c', 'echo ready; read x < go; seq 1 3000000; echo done > over; sleep 60']
    }
  ])
  await rig.start(['mkfifo', 'flood/go', 'flood/over']).exited
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files')
  const follower = rig.start([
    'sh',
    '-c',
    '"$@" | { read -r first; echo "$first"; cat flood/over > seen; cat; }',
    'sh',
    ...rig.program,
    'logs',
    '-a',
    'flood',
    '-f'
  ])
  await follower.waitForLine('ready')
  await rig.start(['sh', '-c', 'echo > flood/go']).exited
  const notice = await follower.waitForLine(/^… \d+ lines dropped$/, {limitMs: 120_000})
  await follower.waitForLine('== APP - flood == 3000000')
  const numbers = follower.stdout.lines.map(line => Number(/== (\d+)$/.exec(line)?.[1] ?? 0)).filter(n => n > 0)
  const dropped = follower.stdout.lines.reduce(
    (sum, line) => sum + Number(/^… (\d+) lines dropped/.exec(line)?.[1] ?? 0),
    0
  )
  t.ok(Number(/\d+/.exec(notice)?.[0]) > 0)
  t.ok(
    numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0)),
    'in order, none twice'
  )
  t.equal(numbers.length + dropped, 3_000_000, 'what is not there was counted')
})
