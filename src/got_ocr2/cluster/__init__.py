"""Many documents, many pages, nothing lost: `got-ocr2 batch`.

inputs/      what people name -> sources, one a document
looking.py   sources -> documents: content and number of pages, by workers
plan.py      documents -> shards -> tasks: decided before anything is read
executors/   processes here, or actors of Ray: do tasks in any order
workers/     the process that reads; what keeps it to its word
tasks.py     rows of a task, in a file of their own
shards.py    tasks -> a shard and its manifest
driver.py    all of it in order
"""
