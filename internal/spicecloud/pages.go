package spicecloud

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// The service documents 100 as the largest page. The others bound what a list that never ends can cost.
const (
	pageSize  = 100
	maxPages  = 100
	listLimit = 64 << 20 // bytes, of all pages
)

// everyPage reads a list to its end. The documentation says both that lists have pages and, route by route,
// nothing of it: so pages are asked for, only one of exactly the size asked for can be one of several, and a
// server that ignores the offset shows by bringing nothing new.
func everyPage[T any, K comparable](ctx context.Context, c *Client, path string, read func(answer) ([]T, error), key func(T) K) ([]T, error) {
	var all []T
	known := map[K]bool{}
	offset, size := 0, 0
	for range maxPages {
		page, err := fetch(ctx, c, get(path, pageQuery(pageSize, offset)), func(a answer) ([]T, error) {
			size += len(a.body)
			return read(a)
		})
		if err != nil {
			return nil, err
		}
		if size > listLimit {
			return nil, fmt.Errorf("GET %s: the list is larger than %d MiB", projects+path, listLimit>>20)
		}
		before := len(all)
		for _, item := range page {
			if !known[key(item)] {
				known[key(item)] = true
				all = append(all, item)
			}
		}
		if len(page) != pageSize || len(all) == before {
			return all, nil
		}
		offset += len(page)
	}
	return nil, fmt.Errorf("GET %s: the list goes on after %d entries", projects+path, len(all))
}

func pageQuery(limit, offset int) url.Values {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	return query
}
