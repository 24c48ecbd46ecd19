import t from 'tap'
import {isDataServer} from '../../../src/model/data-server.ts'
import type {ReadyPlan} from '../../../src/model/plan.ts'

const SPAWNED: ReadyPlan = {kind: 'spawned', timeoutMs: 1}

t.test('databases are known by their program, their image, and what asks whether they are ready', t => {
  for (const command of [
    ['postgres', '-D', 'data'],
    ['/usr/lib/postgresql/17/bin/postgres'],
    ['sh', '-c', '[ -d data ] || { initdb -D new && mv new data; } && exec postgres -D data -p $PORT'],
    ['sh', '-c', 'mkdir -p data && exec redis-server --port $PORT'],
    ['bash', '-c', 'mailpit --smtp 127.0.0.1:1025'],
    ['docker', 'run', '--rm', '--publish', '5432:5432', 'postgres:17'],
    ['podman', 'run', 'docker.io/library/redis']
  ])
    t.ok(isDataServer({command, ready: SPAWNED}), command.join(' '))
  for (const command of [
    ['node', 'postgres.js'],
    ['node', 'server.js', '--db', 'postgres'],
    ['sh', '-c', 'until pg_isready; do sleep 1; done; exec node server.js'],
    ['docker', 'run', 'shop/web:1'],
    ['npm', 'run', 'redis-server']
  ])
    t.notOk(isDataServer({command, ready: SPAWNED}), command.join(' '))
  const asked: ReadyPlan = {kind: 'command', command: ['sh', '-c', 'pg_isready -p $PORT'], timeoutMs: 1}
  t.ok(isDataServer({command: ['./db.sh'], ready: asked}))
  t.end()
})
