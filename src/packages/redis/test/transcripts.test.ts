import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {RedisEngine} from '../engine/engine.ts'
import {RedisServer} from '../server.ts'
import {realRedis, skipWithoutRedis7} from '../../../../test/rig/redis.ts'
import {play} from '../../../../test/rig/transcript.ts'

const FOLDER = join(import.meta.dirname, '../../../../test/fixtures/redis')
const FILES = readdirSync(FOLDER)

t.test('the built-in Redis answers every command of the transcripts as Redis does', async t => {
  for (const file of FILES) {
    const server = await RedisServer.bind(0)
    server.serve(new RedisEngine())
    const transcript = readFileSync(join(FOLDER, file), 'utf8')
    t.equal(await play(transcript, server.port), transcript, file)
    await server.close()
  }
})

t.test('the transcripts are what redis-server answers', {skip: skipWithoutRedis7}, async t => {
  const real = await realRedis(t)
  for (const file of FILES) {
    const transcript = readFileSync(join(FOLDER, file), 'utf8')
    t.equal(await play(transcript, real.port), transcript, file)
  }
})
