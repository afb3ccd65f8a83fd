#!/bin/sh
# Reads a document with curl: sh read.sh FILE
# `to=md`, `to=docx` and others give other files; without `to` comes JSON with places and confidences.
set -eu
curl --fail-with-body --silent --show-error \
    --header "Authorization: Bearer ${GOT_OCR2_API_KEY:-none}" \
    --form "file=@$1" --form "to=txt" \
    "${GOT_OCR2_URL:-http://127.0.0.1:8000}/read"
