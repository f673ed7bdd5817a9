// No two different rows, ever: kernels are deterministic, so an alarm in a simulation is a mix-up of tasks.
import type { Check, Step } from '../watch.ts';

export function noAlarm(): Check {
  return {
    name: 'no alarm is raised',
    stepped({ outputs, peer }: Step): string | undefined {
      const alarm = outputs.find((output) => output.kind === 'raiseAlarm');
      return alarm === undefined
        ? undefined
        : `${peer} saw two rows for task ${alarm.task}, of ${alarm.makers.join(' and ')}`;
    },
  };
}
