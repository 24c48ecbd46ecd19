import type {App} from './api.generated.ts'

/** An app as its supervisor lists it, without the facts that the whole run knows. */
export type AppFacts = Omit<App, 'isMain' | 'circuitBreakers' | 'recent' | 'waitingWork' | 'waitingEvents'>
