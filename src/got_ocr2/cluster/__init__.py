"""Many documents, many pages, nothing lost: `got-ocr2 batch`.

inputs/      what people name -> sources, one a document
looking.py   sources -> documents: content and number of pages, by workers
plan.py      documents -> shards -> tasks: decided before anything is read
planning.py  which of them are missing
executors/   processes here, or actors of Ray: do tasks in any order
workers/     the process that reads; what keeps it to its word
running.py   a task -> its rows, in a file of their own (tasks.py); earlier.py has rows that need not be read again
shards.py    tasks -> a shard and its manifest
finishing.py shards -> a file a document (files.py)
places/      where all of it lies: a folder or an object store (store.py says what lies where)
driver.py    all of it in order
"""
