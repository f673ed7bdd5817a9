// Entry of the thread that reads one Parquet file.
import { parentPort, workerData } from 'node:worker_threads';
import type { ParquetTask } from './candle-parquet.ts';
import { readParquet } from './parquet-rows.ts';

const { file, bytes } = workerData as ParquetTask;
parentPort?.postMessage(await readParquet(file, bytes));
