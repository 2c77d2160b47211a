package spicecloud

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// The service documents 100 as the largest page. The others bound what a list that never ends can cost.
const (
	pageSize      = 100
	maxPages      = 100
	pagesTogether = 4
	listLimit     = 64 << 20 // bytes, of all pages
)

// page is a part of a list, or why it could not be read.
type page[T any] struct {
	items []T
	size  int // of all answers for it, in bytes
	err   error
}

// everyPage reads a list to its end. The documentation says both that lists have pages and, route by route,
// nothing of it: so pages are asked for, only one of exactly the size asked for can be one of several, and a
// server that ignores the offset shows by bringing nothing new. A list that has a third page is likely to have more,
// so from there on some are asked for together.
func everyPage[T any, K comparable](ctx context.Context, c *Client, path string, read func(answer) ([]T, error), key func(T) K) ([]T, error) {
	var all []T
	known := map[K]bool{}
	size, together := 0, 1
	for number := 0; number < maxPages; number += together {
		if number > 1 {
			together = min(number, pagesTogether, maxPages-number)
		}
		for _, p := range readPages(ctx, c, path, read, number, together) {
			if p.err != nil {
				return nil, p.err
			}
			if size += p.size; size > listLimit {
				return nil, fmt.Errorf("GET %s: the list is larger than %d MiB", projects+path, listLimit>>20)
			}
			before := len(all)
			for _, item := range p.items {
				if !known[key(item)] {
					known[key(item)] = true
					all = append(all, item)
				}
			}
			if len(p.items) != pageSize || len(all) == before {
				return all, nil
			}
		}
	}
	return nil, fmt.Errorf("GET %s: the list goes on after %d entries", projects+path, len(all))
}

// readPages reads so many pages at the same time, from the one with that number, counted from 0.
func readPages[T any](ctx context.Context, c *Client, path string, read func(answer) ([]T, error), number, together int) []page[T] {
	pages := make([]page[T], together)
	var all sync.WaitGroup
	for i := range pages {
		p := &pages[i]
		all.Go(func() {
			p.err = diag.Guard(func() (err error) {
				p.items, err = fetch(ctx, c, get(path, pageQuery(pageSize, (number+i)*pageSize)), func(a answer) ([]T, error) {
					p.size += len(a.body)
					return read(a)
				})
				return err
			})
		})
	}
	all.Wait()
	return pages
}

func pageQuery(limit, offset int) url.Values {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	return query
}
