import type {Tool} from '../tool.ts'
import {appLogs, listApps, restart, why} from './apps.ts'
import {call, calls, graph} from './calls.ts'
import {fault} from './fault.ts'
import {invoke} from './invoke.ts'
import {replay} from './replay.ts'
import {wait} from './wait.ts'

export const TOOLS: readonly Tool[] = [listApps, appLogs, calls, call, graph, why, wait, invoke, replay, restart, fault]
