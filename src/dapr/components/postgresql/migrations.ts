import type {Pool, PoolClient} from 'pg'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {because} from '../properties.ts'

/** A step from one version of a schema to the next. */
export type Migration = (client: PoolClient) => Promise<unknown>

/** The row of the metadata table that a sidecar holds while it migrates. */
const LOCK = 'lock'
/** Error codes: unique violation, duplicate table, duplicate object (PostgreSQL: Appendix A). */
const IS_THERE = ['23505', '42P07', '42710']

/**
 * Brings tables to the newest schema. The metadata table keeps the level in a row. Another row is the lock, as sidecars of Dapr use it:
 * several may start at the same time (components-contrib: common/component/sql/migrations/postgres).
 */
export async function migrate(
  pool: Pool,
  {metadataTable, key, migrations}: {metadataTable: string; key: string; migrations: readonly Migration[]}
): Promise<void> {
  await createMetadata(pool, metadataTable)
  await pool.query(`INSERT INTO ${metadataTable} (key, value) VALUES ($1, 'lock') ON CONFLICT (key) DO NOTHING`, [LOCK])
  await inTransaction(pool, async client => {
    await client.query(`SELECT value FROM ${metadataTable} WHERE key = $1 FOR UPDATE`, [LOCK])
    const {rows} = await client.query<{value: string}>(`SELECT value FROM ${metadataTable} WHERE key = $1`, [key])
    const level = Number(rows[0]?.value ?? '0')
    if (!Number.isInteger(level))
      throw new Error(`invalid migration level found in metadata table: ${rows[0]?.value ?? ''}`)
    for (const [at, migration] of migrations.entries()) {
      if (at < level) continue
      await migration(client).catch(because(`failed to perform migration ${at}`))
      await client.query(
        `INSERT INTO ${metadataTable} (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`,
        [key, (at + 1).toString()]
      )
    }
  })
}

/** Creates the metadata table. Despite IF NOT EXISTS, processes that create it together get an error: then it exists. */
async function createMetadata(pool: Pool, table: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await pool.query(`CREATE TABLE IF NOT EXISTS ${table} (key text NOT NULL PRIMARY KEY, value text NOT NULL)`)
      return
    } catch (error) {
      if (!IS_THERE.includes(codeOf(error)) || tries === 3)
        throw new Error(`failed to create metadata table: ${messageOf(error)}`, {cause: error})
      await pause(50)
    }
  }
}

/** Runs `work` in a transaction, which is rolled back if it fails. */
export async function inTransaction(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } catch (error) {
    // a connection that cannot roll back is of no use any more: its end rolls back
    await client.query('ROLLBACK').then(
      () => client.release(),
      () => client.release(true)
    )
    throw error
  }
  client.release()
}
