// A strategy's own, deterministic error: this task cannot be computed, here or anywhere. The code is the last
// value of its row, whose other values are NaN.

const TASK_FAULTS = {
  1: 'an indicator parameter is out of its range',
  2: 'a stop or target distance is not above zero',
  3: 'the size is not above zero, or above all of the equity',
  4: 'maxBars is not a whole number from 1 on',
  5: 'the data has fewer bars than the indicators need',
  6: 'cooldown is not a whole number from 0 on',
} as const;

export type TaskFaultCode = keyof typeof TASK_FAULTS;

/** undefined: no error of a strategy has that code. */
export function faultText(code: number): string | undefined {
  return (TASK_FAULTS as Readonly<Record<number, string>>)[code];
}

export class TaskFault extends Error {
  override readonly name = 'TaskFault';
  readonly code: TaskFaultCode;

  constructor(code: TaskFaultCode) {
    super(TASK_FAULTS[code]);
    this.code = code;
  }
}
