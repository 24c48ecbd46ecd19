import t from 'tap'
import {isDataServer} from '../../../../src/files/config/data-server.ts'
import type {ReadyPlan} from '../../../../src/model/plan.ts'

const SPAWNED: ReadyPlan = {kind: 'spawned', timeoutMs: 1}

t.test('databases are known by their program, their image, and what asks whether they are ready', async t => {
  const scripts = {db: 'mkdir -p data && redis-server --dir data'}
  const folder = t.testdir({'package.json': JSON.stringify({scripts})})
  for (const command of [
    ['postgres', '-D', 'data'],
    ['/usr/lib/postgresql/17/bin/postgres'],
    ['sh', '-c', '[ -d data ] || { initdb -D new && mv new data; } && exec postgres -D data -p $APP_PORT'],
    ['sh', '-c', 'mkdir -p data && exec redis-server --port $APP_PORT'],
    ['bash', '-c', 'mailpit --smtp 127.0.0.1:1025'],
    ['docker', 'run', '--rm', '--publish', '5432:5432', 'postgres:17'],
    ['podman', 'run', 'docker.io/library/redis'],
    ['docker', 'run', '--name', 'redis', 'redis'],
    ['docker', 'run', 'localhost:5000/shop/redis:7'],
    ['sh', '-c', 'mkdir -p data; (/opt/redis/redis-server --port $APP_PORT)'],
    ['sudo', '-u', 'postgres', '/usr/lib/postgresql/17/bin/postgres', '-D', 'data'],
    ['./tools/minio', 'server', 'data'],
    ['sudo', '-u', 'redis', '/opt/redis/redis-server'],
    ['gosu', 'redis', 'redis-server'],
    ['env', 'MINIO_ROOT_USER=shop', './minio', 'server', 'data'],
    ['sh', '-c', 'MINIO_ROOT_USER=shop MINIO_ROOT_PASSWORD=shop ./minio server data'],
    ['sh', '-c', 'mkdir -p data\n/opt/minio/minio server data\n'],
    ['sh', '-c', 'exec $(pg_config --bindir)/postgres -D data'],
    ['nohup', './redis-server'],
    ['tini', '--', '/opt/redis/redis-server'],
    ['timeout', '100', './redis-server'],
    ['bash', 'scripts/redis-server'],
    ['npm', 'run', 'db'],
    ['sh', '-c', 'docker run --rm postgres:17 | tee db.log'],
    ['sh', '-c', 'docker run --rm \\\n  -p 5432:5432 \\\n  postgres:17 2>&1'],
    ['sh', '-c', 'redis-server >log 2>&1'],
    ['sh', '-c', '>log redis-server'],
    ['sh', '-c', 'redis-server --port $APP_PORT # ours; not the one of the machine'],
    ['sh', '-c', '"$PGBIN/postgres" -D data -c "search_path=a|b" || exit 1'],
    ['sh', '-c', 'cat >redis.conf <<EOF\nport 6379; dir data\nEOF\nredis-server redis.conf'],
    ['sh', '-c', 'if [ -x bin/redis-server ]; then bin/redis-server; else valkey-server; fi'],
    ['sh', '-c', 'mongod --replSet rs & PID=$!; until mongosh --eval "rs.initiate()"; do sleep 1; done; wait $PID'],
    ['sh', '-c', "trap 'kill $!; rm pid' EXIT; redis-server | sed 's/;/|/'"],
    ['MailHog'],
    ['asdf', 'exec', 'redis-server'],
    ['numactl', '--interleave=all', '/usr/bin/mongod']
  ])
    t.ok(isDataServer({command, folder, ready: SPAWNED}), command.join(' '))
  for (const command of [
    ['node', 'postgres.js'],
    ['node', 'server.js', '--db', 'postgres'],
    ['node', 'server.js', '--db', 'postgres://shop@127.0.0.1:5432/postgres'],
    ['node', 'server.js', '--db=jdbc:postgresql://127.0.0.1/postgres', '--port', '3000'],
    ['sh', '-c', 'DATABASE_URL=postgres://127.0.0.1/postgres exec node server.js'],
    ['python', 'backup.py', '--socket', '/var/run/mysqld'],
    ['go', 'run', './cmd/etcd'],
    ['docker', 'run', '-e', 'DATABASE_URL=postgres://127.0.0.1/postgres', 'shop/web:1'],
    ['docker', 'run', 'shop/web:1', '--db', 'postgres://127.0.0.1/postgres'],
    ['sh', '-c', 'until pg_isready; do sleep 1; done; exec node server.js'],
    ['docker', 'run', 'shop/web:1'],
    ['docker', 'run', '--network', 'redis', '--link', 'postgres', '--name', 'mailhog', 'shop/web:1'],
    ['npm', 'run', 'redis-server'],
    ['sudo', '-u', 'postgres', 'node', 'server.js'],
    ['gosu', 'postgres', 'node', 'server.js'],
    ['./start.sh', 'redis-server'],
    ['psql', 'host=127.0.0.1 user=shop', 'postgres'],
    ['node', 'server.js', '--env', 'minio', '--time', 'etcd', '--db=shop', 'postgres'],
    ['sh', '-c', 'redis-server --daemonize yes && exec node server.js'],
    ['sh', '-c', 'cat >start.sh <<EOF\nredis-server\nEOF\nexec node server.js'],
    ['sh', '-c', 'node server.js # needs; redis-server'],
    ['sh', '-c', "redis-server & trap 'kill %1; redis-server' EXIT; node -e 'run(); mongod'"],
    ['sh', '-c', 'cd apps/minio\nexec node server.js']
  ])
    t.notOk(isDataServer({command, folder, ready: SPAWNED}), command.join(' '))
  const asked: ReadyPlan = {kind: 'command', command: ['sh', '-c', 'pg_isready -p $APP_PORT'], timeoutMs: 1}
  t.ok(isDataServer({command: ['./db.sh'], folder, ready: asked}))
})
