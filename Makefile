# The course's commands. Each does its own set-up: one virtual environment in .venv, pinned by constraints.txt.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
# An extra package index, for example PyTorch's CPU builds: make course TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
ASSIGNMENTS := $(notdir $(wildcard solutions/[0-9]*))

# Small models run fastest on one thread, and two contended threads can be eighty times slower.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup course book serve notebooks lab grade bundle experiments test lint types clean constraints need-node need-chromium

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY)  ## make or refresh .venv (every other command does it when needed)

$(READY): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" bash tools/setup.sh $(VENV)
	@touch $@

course: book notebooks  ## build the book and the notebooks, grade sample submissions, print the marks
	@$(PY) tests/grading/sample_course.py
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

book: $(READY) need-node  ## build the book into _build/html
	@$(PY) book/build.py

serve: book  ## build the book and serve it at a local address
	@$(PY) book/build.py --serve

notebooks: $(READY)  ## make notebooks/ (what students get) from solutions/
	@$(BIN)/lstmkit release

lab: $(READY)  ## open the release notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks

grade: notebooks  ## grade everything in submitted/ and write marks, CSV and feedback
	@for name in $(ASSIGNMENTS); do \
	  if compgen -G "submitted/*/$$name" > /dev/null; then $(BIN)/lstmkit grade $$name; \
	  else echo "$$name: nothing in submitted/<student>/$$name/"; fi; done

bundle: notebooks  ## a zip for students: _build/lstm-course.zip
	@$(PY) tools/bundle.py

experiments: $(READY)  ## run the long experiments again (minutes to hours); results in book/experiments
	@for script in book/experiments/[0-9]*.py; do echo "$$script"; $(PY) $$script; done

test: lint types need-node need-chromium  ## lint, types and all tests
	@$(PY) -m pytest

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

need-node:
	@command -v node > /dev/null && command -v npm > /dev/null || { \
	  echo "Node.js and npm are missing: the book's equations are rendered with them."; \
	  echo "  Debian, Ubuntu: sudo apt-get install nodejs npm     macOS: brew install node"; exit 1; }

need-chromium:
	@command -v chromium > /dev/null || command -v google-chrome > /dev/null || [ -n "$${CHROMIUM:-}" ] || { \
	  echo "Chromium is missing: the tests open the book's pages in it."; \
	  echo "  Debian: sudo apt-get install chromium     elsewhere: set CHROMIUM to the program's path"; exit 1; }

constraints: $(READY)  ## write constraints.txt anew from .venv
	@$(PY) tools/constraints.py

clean:  ## remove what the build made; .venv, submissions and marks stay
	rm -rf _build book/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find solutions -name '*.ipynb' -delete
